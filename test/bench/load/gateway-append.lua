-- POST one event, of any of the chains and findings: the same as gateway-append.sql.
local chains = tonumber(os.getenv("CHAINS"))
local findings = tonumber(os.getenv("FINDINGS"))
local headers = {
	["Authorization"] = "Bearer " .. os.getenv("TOKEN"),
	["X-Stella-Tenant"] = "bench",
	["Content-Type"] = "application/json",
}

function init()
	math.randomseed(os.time() + tonumber(tostring({}):match("0x(%x+)"), 16) % 1000000)
end

function request()
	local body = string.format('{"type":"finding.severity_changed","policyVersion":"policy-%d",'
		.. '"findingId":"CVE-2024-%d","artifactId":"npm/left-pad@1.3.0","payload":{"severity":%.1f,"status":"triaged",'
		.. '"labels":{"team":"platform","env":"production"},'
		.. '"comment":"Reachable from the public gateway; the owner was told and has agreed to a date."}}',
		math.random(chains), math.random(findings), math.random(0, 100) / 10)
	return wrk.format("POST", "/v1/ledger/events", headers, body)
end
