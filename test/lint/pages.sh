#!/usr/bin/env bash
# The pages hang together: every link leads somewhere, and every page is linked from
# another.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/tap.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Links of the pages below a folder: broken ones, and pages that no link reaches.
# A page that stands where readers look anyway needs no link.
links() {
	node -e '
	const { existsSync, readFileSync, statSync } = require("fs");
	const { dirname, join, normalize } = require("path");
	const [what, root, ...pages] = process.argv.slice(1);
	const anchor = (heading) => heading.trim().toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replace(/ /g, "-");
	const anchors = (file) => readFileSync(file, "utf8").split("\n").filter((line) => /^#+ /.test(line))
		.map((line) => anchor(line.replace(/^#+ /, "").replace(/`/g, "")));
	const reached = new Set(pages.filter((page) => !page.includes("/") || page.endsWith("README.md")));
	for (const page of pages) {
		const text = readFileSync(join(root, page), "utf8").replace(/^```[^]*?^```/gm, "");
		for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
			if (/^[a-z]+:/.test(target)) continue;
			const [path, fragment] = target.split("#");
			const file = path === "" ? page : normalize(join(dirname(page), path));
			if (!existsSync(join(root, file))) { if (what === "broken") console.log(`${page}: ${target}`); continue; }
			if (path !== "") reached.add(file);
			if (what === "broken" && fragment && statSync(join(root, file)).isFile() && !anchors(join(root, file)).includes(fragment))
				console.log(`${page}: ${target} (no such heading)`);
		}
	}
	if (what === "orphan") pages.filter((page) => !reached.has(page)).forEach((page) => console.log(page));
	' "$@"
}

mapfile -t pages < <(project_files '*.md' ':!:test/vectors' ':!:test/docs')
links broken . "${pages[@]}" | none 'every link of every page leads somewhere'
links orphan . "${pages[@]}" | none 'every page is linked from another'

# The check can fail.
mkdir "$work/docs"
printf '# A\n\n[b](docs/b.md) [gone](docs/gone.md) [no heading](docs/b.md#c)\n' >"$work/README.md"
printf '# B\n' >"$work/docs/b.md"
printf '# Alone\n' >"$work/docs/alone.md"
diff <(links broken "$work" README.md docs/b.md docs/alone.md; links orphan "$work" README.md docs/b.md docs/alone.md) - <<'END' |
README.md: docs/gone.md
README.md: docs/b.md#c (no such heading)
docs/alone.md
END
	none 'a dead link, a missing heading and a lonely page are found'
