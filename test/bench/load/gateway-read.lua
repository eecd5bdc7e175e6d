-- GET one event by its id: the same as gateway-read.sql.
local findings = tonumber(os.getenv("FINDINGS"))
local headers = {
	["Authorization"] = "Bearer " .. os.getenv("TOKEN"),
	["X-Stella-Tenant"] = "bench",
}

function init()
	math.randomseed(os.time() + tonumber(tostring({}):match("0x(%x+)"), 16) % 1000000)
end

function request()
	return wrk.format("GET", string.format("/v1/ledger/events/0198c0de-0000-7000-8000-%012d", math.random(findings)), headers)
end
