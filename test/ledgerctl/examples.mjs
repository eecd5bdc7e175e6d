// The files of docs/examples are the examples of docs/formats.md, which another test
// recomputes.  What docs/how-to/audit-from-outside.md does with them is run after this.
//
// usage: examples.mjs DIR PAGE
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { done, ok } from './run.mjs';

const [dir, page] = process.argv.slice(2);
const example = Object.fromEntries([...readFileSync(page, 'utf8').matchAll(/^```text (\S+)\n([^]*?)\n```$/gm)].map(([, name, body]) => [name, `${body}\n`]));
const files = {
	'acme.checkpoint': example['signed-checkpoint'],
	'acme.ndjson': example['line-1'] + example['line-2'],
	'event.json': example['envelope-2'],
	'event.tlog-proof': example.bundle,
	'findings.ndjson': example['export-line'] + example['export-manifest'],
	'log.pub': example['public-key'],
	'redaction.json': example.redaction,
};
ok(readdirSync(dir).sort().join() === Object.keys(files).join(), 'the example files are these', readdirSync(dir).join());
for (const [name, content] of Object.entries(files))
	ok(readFileSync(join(dir, name), 'utf8') === content, `${name} is the example of ${page}`);
done();
