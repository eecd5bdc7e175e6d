#!/bin/sh
# Prints what an image is made of, as CycloneDX 1.5 in JSON: every Debian package that dpkg knows, and the
# ledger itself. The same packages give the same text; SOURCE_DATE_EPOCH adds a time.
#
# usage: sbom.sh NAME VERSION
set -eu

[ $# -eq 2 ] || { echo 'usage: sbom.sh NAME VERSION' >&2; exit 2; }
. /etc/os-release

{
	printf 'document\t%s\t%s\t%s\n' "$1" "$2" \
		"${SOURCE_DATE_EPOCH:+$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)}"
	printf 'system\t%s\t%s\t%s\n' "$ID" "${VERSION_ID:-}" "${PRETTY_NAME:-$ID}"
	# A package has a source of its own name unless it says otherwise.
	format='${db:Status-Status}\t${Package}\t${Version}\t${Architecture}\t${source:Package}@${source:Version}\n'
	dpkg-query -W -f "$format" | sed -n 's/^installed\t/package\t/p' | LC_ALL=C sort
} | LC_ALL=C awk -F '\t' '
	function quote(text) { gsub(/\\/, "\\\\", text); gsub(/"/, "\\\"", text); return "\"" text "\"" }
	# What names and versions of Debian have and a package URL must not.
	function purl(text) { gsub(/\+/, "%2B", text); gsub(/:/, "%3A", text); return text }
	$1 == "document" { name = $2; version = $3; time = $4 }
	$1 == "system" {
		system_id = $2; release = $3
		parts = "{\"type\": \"operating-system\", \"name\": " quote($2) ", \"version\": " quote($3) \
			", \"description\": " quote($4) "}"
	}
	$1 == "package" {
		reference = "pkg:deb/" system_id "/" purl($2) "@" purl($3) "?arch=" $4 "&distro=" system_id "-" release
		parts = parts ",\n    {\"type\": \"library\", \"bom-ref\": " quote(reference) ", \"name\": " quote($2) \
			", \"version\": " quote($3) ", \"purl\": " quote(reference) ", \"properties\": " \
			"[{\"name\": \"debian:source\", \"value\": " quote($5) "}]}"
		count++
	}
	END {
		if (count == 0) { print "sbom.sh: dpkg knows no packages" > "/dev/stderr"; exit 1 }
		print "{"
		print "  \"bomFormat\": \"CycloneDX\","
		print "  \"specVersion\": \"1.5\","
		print "  \"version\": 1,"
		printf "  \"metadata\": {%s\"component\": {\"type\": \"container\", \"bom-ref\": %s, \"name\": %s, " \
			"\"version\": %s, \"licenses\": [{\"license\": {\"id\": \"PostgreSQL\"}}]}},\n", \
			(time == "" ? "" : "\"timestamp\": " quote(time) ", "), quote(name "@" version), quote(name), quote(version)
		print "  \"components\": ["
		print "    " parts
		print "  ]"
		print "}"
	}'
