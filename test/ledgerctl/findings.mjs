// verify-findings: the example of docs/formats.md section 9, lines made of it, and each
// way in which they may be wrong.
import { readFileSync } from 'node:fs';
import { jcs, sha256 } from '../audit/hashes.mjs';
import { Dice } from '../differential/dice.mjs';
import { key, put } from './log.mjs';
import { done, expect, FAILED, GOOD, json, NOT_FOUND, ok, run, USAGE } from './run.mjs';

const dir = process.argv[2];
const example = readFileSync('docs/examples/findings.ndjson', 'utf8');
const [lineText, manifestText] = example.split('\n');
const rules = readFileSync('docs/examples/redaction.json', 'utf8');
const pub = 'docs/examples/log.pub';
let files = 0;
const file = (content) => put(dir, `file-${++files}`, content);
const good = ['verify-findings', 'docs/examples/findings.ndjson', '--key', pub, '--redaction', 'docs/examples/redaction.json'];

// ---- what holds

expect('the example', GOOD, /1 findings of acme, export.v1.canonical, datasetSha256 [0-9a-f]{64}/, good);
expect('without rules, those that are built in', GOOD, /1 findings/, good.slice(0, 4));
const unsigned = expect('without a key', GOOD, /1 findings/, good.slice(0, 2));
ok(/no --key was given/.test(unsigned.stderr), 'it says what is not shown', unsigned.stderr);
const answer = json(good);
ok(answer.status === GOOD && answer.findings === 1 && answer.faults === 0 && answer.pages[0].tenant === 'acme' && answer.pages[0].filtersHash === sha256('{"shape":"canonical"}'),
	'as JSON', JSON.stringify(answer));
expect('rules in another spelling are the same rules', GOOD, /1 findings/, [...good.slice(0, 4), '--redaction', file(JSON.stringify(JSON.parse(rules), null, 2))]);

// ---- wrong use

expect('a file that is not there', NOT_FOUND, /No such file/, ['verify-findings', `${dir}/absent`]);
expect('rules that are not there', NOT_FOUND, /no such file/, ['verify-findings', file(example), '--redaction', `${dir}/absent`]);
expect('rules that are none', USAGE, /no manifest of redaction/, ['verify-findings', file(example), '--redaction', file('{"schema":"x","rules":[]}')]);
expect('rules that are no JSON', USAGE, /no JSON/, ['verify-findings', file(example), '--redaction', file('x')]);
expect('a rule that is not understood', USAGE, /a rule that is not understood/, ['verify-findings', file(example), '--redaction', file(rules.replace('"drop"', '"hide"'))]);
expect('a key that is none', USAGE, /no public key/, ['verify-findings', file(example), '--key', file('x')]);
expect('no file', USAGE, /FILE/, ['verify-findings']);

// ---- what does not hold

const refuse = (name, pattern, content, ...more) => expect(name, FAILED, pattern, ['verify-findings', file(content), ...(more.length ? more : ['--key', pub])]);
const lineOf = (change) => {
	const { lineDigest, ...item } = JSON.parse(lineText);
	change(item);
	return jcs({ ...item, lineDigest: sha256(jcs(item)) });
};
const behind = (...lines) => lines.map((line) => `${line}\n`).join('') + `${manifestText}\n`;
refuse('an empty file', /no manifest at its end/, '');
refuse('no manifest', /no manifest at its end/, `${lineText}\n`);
refuse('cut off within a line', /ends within a line/, example.slice(0, -5));
refuse('no line, but the manifest counts one', /does not count as many/, `${manifestText}\n`);
refuse('the line twice', /out of order, or there twice/, behind(lineText, lineText));
refuse('another value', /the line's digest is/, behind(lineText.replace('"resolved"', '"affected"')));
refuse('another value and its digest', /the data set's SHA-256 is/, behind(lineOf((item) => { item.status = 'affected'; })));
refuse('without digest', /no lineDigest/, behind(lineText.replace(/"lineDigest":"[0-9a-f]*",/, '')));
refuse('an array', /no finding of an export/, behind('[]'));
refuse('a number', /no finding of an export/, behind('7'));
refuse('no JSON', /at byte 0/, behind('hello'));
refuse('no place', /event_sequence, projection_version or cycle_hash is missing/, behind(lineOf((item) => { delete item.cycle_hash; })));
refuse('another schema', /is "export.v2.canonical", which is not known/, behind(lineOf((item) => { item.schema = 'export.v2.canonical'; })));
refuse('two tenants', /of tenant "globex" in an export of "acme"/, behind(lineText, lineOf((item) => { item.tenant = 'globex'; item.event_sequence = 3; })));
refuse('two shapes', /export.v1.compact among lines of export.v1.canonical/, behind(lineText, lineOf((item) => { item.schema = 'export.v1.compact'; item.event_sequence = 3; })));
refuse('a line behind the manifest', /a line behind the manifest/, `${example}${lineText}\n`);
refuse('a manifest that is no envelope', /no DSSE envelope/, `${lineText}\n{"manifest":{}}\n`);
refuse('a token that is not in the manifest', /is not the one in it/, `${lineText}\n${manifestText.slice(0, -1)},"nextPageToken":"x"}\n`);
refuse('signed by another', /no signature|does not fit/, example, '--key', key('ledger.example/prod').vkey);
refuse('of another type', /the manifest is of type application\/other/, `${lineText}\n${manifestText.replace('application/vnd.stella-ledger-export+json', 'application/other')}\n`);
refuse('other rules than the manifest names', /SHA-256 of the rules given by --redaction is/, example, '--redaction', file(rules.replace('"reason":"A', '"reason":"The')));
refuse('a policy that is not in use', /policy version "policy-2026.1", which --policy does not name/, example, '--policy', 'policy-2027.1');
expect('one that is', GOOD, /1 findings/, ['verify-findings', file(example), '--policy', 'policy-2026.1']);
expect('a page that is none of this export', FAILED, /does not begin where the page before it ended/, ['verify-findings', file(example), file(example)]);
const many = refuse('many faults', /the 20th fault: the rest is not read/, behind(...Array.from({ length: 50 }, () => 'x')));
ok(many.stderr.split('\n').length < 25, 'and not all of them are told');

// ---- redaction

const shows = (name, pattern, change) => refuse(`shown: ${name}`, pattern, behind(lineOf(change)));
shows('an address', /an e-mail address in "artifact_id"/, (item) => { item.artifact_id = 'jane@people.example'; });
shows('an address deep inside', /an e-mail address in/, (item) => { item.rationale = [['x', 'mailto:jane%40people.example']]; });
shows('an address as a name', /a member is named like an e-mail address/, (item) => { item.labels = { 'jane＠people.example': '' }; });
shows('a comment', /provenance.comment is not masked/, (item) => { item.provenance.comment = 'done'; });
shows('a comment that is no text', /provenance.comment is not masked/, (item) => { item.provenance.comment = ['[masked]']; });
shows('an actor', /provenance.actor_id is more than a realm/, (item) => { item.provenance.actor_id = 'zoë'; });
shows('an actor, compact', /provenance.actor_id is there, and is to be left out/, (item) => { item.schema = 'export.v1.compact'; });

// ---- one bit anywhere

const dice = new Dice(5);
const bytes = Buffer.from(example);
let taken = 0;
for (let at = dice.below(9); at < bytes.length; at += 1 + dice.below(17)) {
	const changed = Buffer.from(bytes);
	changed[at] ^= 1 << dice.below(8);
	const got = run(['verify-findings', put(dir, 'changed', changed), ...good.slice(2)]);
	if (got.status !== FAILED) console.log(`# byte ${at}: status ${got.status} ${got.stderr}`);
	taken += got.status !== FAILED;
}
ok(taken === 0, 'no changed bit is taken', `${taken}`);
done();
