#!/usr/bin/env bash
# The shape of the repository: its top level, the size of its files, its version.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/tap.sh"

allowed='^(Makefile|extension|sql|gateway|migrations|test|deploy|docs|README\.md|CHANGELOG\.md|CONTRIBUTING\.md|SECURITY\.md|LICENSE|META\.json|\.ci|\.gitignore|\.gitattributes|\.editorconfig|\.clang-format)$'
project_files | cut -d/ -f1 | sort -u | search -vE "$allowed" | none 'the top level holds what it should and no more'

# A file is one role; past 600 lines it is two.  Frozen, generated and foreign
# files are as long as they are; an auditor wants the plain verifier in one file.
project_files '*.c' '*.h' '*.sql' '*.sh' '*.mjs' '*.pl' '*.pm' |
	search -vE '^(migrations/[0-9]|test/vectors/|test/.*/expected/|extension/.*--|sql/audit/verify_plain)' |
	xargs wc -l | awk '$2 != "total" && $1 > 600 { print $2 ": " $1 " lines" }' |
	none 'no file is longer than 600 lines'

control_version=$(sed -n "s/^default_version = '\(.*\)'/\1/p" extension/findings_ledger.control)
node -e '
	const meta = JSON.parse(require("fs").readFileSync("META.json", "utf8"));
	const wanted = process.argv[1];
	for (const [what, version] of [["version", meta.version],
			["provides.findings_ledger.version", meta.provides?.findings_ledger?.version]])
		if (version !== wanted && version !== `${wanted}.0`)
			console.log(`${what} is ${version}, the control file says ${wanted}`);
' "$control_version" 2>&1 | none 'META.json and the control file agree on the version'
ls "extension/findings_ledger--$control_version.sql" 2>&1 >/dev/null |
	none "the extension's script of that version exists"
search -cF "SELECT '$control_version'" sql/functions/ledger_home.sql | search -v '^1$' |
	none 'ledger_schema_version() is that version'

# The members that PGXN asks for (its META specification, version 1.0.0).
node -e '
	const meta = JSON.parse(require("fs").readFileSync("META.json", "utf8"));
	for (const name of ["name", "version", "abstract", "maintainer", "license", "provides", "meta-spec"])
		if (!meta[name]) console.log(`${name} is missing`);
	for (const [name, provided] of Object.entries(meta.provides ?? {}))
		for (const file of [provided.file, provided.docfile])
			if (!require("fs").existsSync(file)) console.log(`${name}: there is no ${file}`);
' 2>&1 | none 'META.json has what PGXN asks for'

# Keep a Changelog: what is not released comes first, kinds of changes have their names.
awk '
	/^## / && ++sections == 1 && $0 != "## Unreleased" { print NR ": the first section is not Unreleased" }
	/^## / && sections > 1 && !/^## [0-9]+\.[0-9]+\.[0-9]+ - [0-9]+-[0-9]+-[0-9]+$/ { print NR ": " $0 }
	/^### / && !/^### (Added|Changed|Deprecated|Removed|Fixed|Security)$/ { print NR ": " $0 }
	/^### / && seen[sections, $0]++ { print NR ": " $0 " a second time" }
	END { if (sections == 0) print "no section" }
' CHANGELOG.md | none 'CHANGELOG.md has the form that it says'
