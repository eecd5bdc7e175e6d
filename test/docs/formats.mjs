// The literal examples of docs/formats.md, recomputed twice: by this program, which
// shares no code with the extension, and by the extension through psql.  Prints TAP.
//
// usage: formats.mjs docs/formats.md [DSN]      without DSN only the first
import { readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { bytes, jcs, saltedHash, sha256 } from '../audit/hashes.mjs';

const [pageFile, dsn] = process.argv.slice(2);
const page = readFileSync(pageFile, 'utf8');
const example = Object.fromEntries([...page.matchAll(/^```text (\S+)\n([^]*?)\n```$/gm)].map(([, name, body]) => [name, body]));
const unused = new Set(Object.keys(example));

let failed = 0;
function is(name, computed, shown) {
  const ok = computed === shown;
  console.log(`${ok ? 'ok' : 'not ok'} - ${name}`);
  if (!ok) console.log(`# computed ${computed}\n# the page says ${shown}`);
  failed += ok ? 0 : 1;
}

function shown(name) {
  unused.delete(name);
  return example[name] ?? `(no example ${name})`;
}

// Rows "| `a` | … | `b` |" of the table below a heading, as [a, …, b].
function table(heading) {
  const section = page.split(`\n## ${heading}`)[1].split('\n## ')[0];
  return section.split('\n').filter((line) => /^\| `/.test(line))
    .map((line) => line.slice(2, -2).split(' | ').map((cell) => cell.replaceAll('`', '')));
}

const salts = ['000102030405060708090a0b0c0d0e0f', '101112131415161718191a1b1c1d1e1f'];
const payloads = [JSON.parse(shown('payload-input')), { comment: 'done' }];
const evaluation = { score: 4.25, status: 'affected' };
const envelopes = [1, 2].map((n) => JSON.parse(shown(`envelope-${n}`)));
const leafHash = (entry) => sha256(Uint8Array.of(0), entry);

// ---- section 1

// A decimal number as digits and exponent: 1.50 and 15e-1 are the same pair.
function decimal(text) {
  const [, sign, whole, fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  const digits = (whole + fraction).replace(/^0+/, '');
  const kept = digits.replace(/0+$/, '');
  if (kept === '') return '0';
  return `${sign}${kept}e${Number(exponent) - fraction.length + digits.length - kept.length}`;
}

function writtenNumber(text) {
  const shortest = JSON.stringify(Number(text));
  return shortest !== 'null' && decimal(shortest) === decimal(text) ? shortest : 'refused';
}

const numbers = table('1. Canonical JSON').filter((row) => row.length === 2);
is('the page shows enough numbers', numbers.length >= 10, true);
for (const [input, written] of numbers) is(`number ${input}`, writtenNumber(input), written);
const names = JSON.parse(`[${shown('sort-sorted-names').trim().replaceAll(' ', ',')}]`);
const sorted = jcs(JSON.parse(shown('sort-input')));
is('members sort by UTF-16 code units', JSON.stringify(Object.keys(JSON.parse(example['sort-input'])).sort()), JSON.stringify(names));

// ---- sections 2, 3, 8, 10

is('canonical payload', jcs(payloads[0]), shown('payload'));
is('payload hash', saltedHash(2, salts[0], payloads[0]), shown('payload-hash'));
is('evaluation hash', saltedHash(3, salts[0], evaluation), shown('evaluation-hash'));
const digest = sha256('acme::policy-2026.1');
const id = bytes(digest).subarray(0, 16);
id[6] = (id[6] & 0x0f) | 0x80;
id[8] = (id[8] & 0x3f) | 0x80;
is('chain digest', digest, shown('chain-digest'));
is('chain id', id.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'), shown('chain-id'));
let previous = '0'.repeat(64);
envelopes.forEach((envelope, index) => {
  const n = index + 1;
  const text = shown(`envelope-${n}`);
  is(`envelope ${n} is canonical`, jcs(envelope), text);
  is(`envelope ${n} holds the payload hash`, saltedHash(2, salts[index], payloads[index]), envelope.payloadHash);
  is(`envelope ${n} holds the chain id`, envelope.chainId, shown('chain-id'));
  is(`envelope ${n} links`, envelope.previousHash, previous);
  is(`event hash ${n}`, sha256(text), shown(`event-hash-${n}`));
  is(`leaf hash ${n}`, leafHash(text), shown(`leaf-hash-${n}`));
  is(`line ${n}`, jcs({ envelope, eventHash: sha256(text), merkleLeafHash: leafHash(text), payload: payloads[index],
    salt: bytes(salts[index]).toString('base64') }), shown(`line-${n}`));
  previous = sha256(text);
});
const projection = JSON.parse(shown('projection'));
is('projection is canonical', jcs(projection), shown('projection'));
is('cycle hash', sha256(jcs(projection)), shown('cycle-hash'));

// ---- section 13

const joined = (...hashes) => sha256(Buffer.from(hashes.join(''), 'hex'));
const chainDigest = joined(...[1, 2].map((n) => shown(`event-hash-${n}`)));
is('digest of a chain', chainDigest, shown('chain-digest-1'));
is('what is expected of a chain', jcs({ chainId: projection.chainId, rootHash: example.root, tenant: 'acme', treeSize: 2 }), shown('expected-chain'));
is('what is expected of a finding', jcs({ currentSequence: 2, cycleHash: shown('cycle-hash'), findingId: 'FND-1', policyVersion: projection.policyVersion, tenant: 'acme' }),
  shown('expected-finding'));
is('what is expected in all', jcs({ chains: 1, eventStreamChecksum: joined(chainDigest), events: 2, findings: 1, projectionChecksum: joined(shown('cycle-hash')),
  schema: 'ledger.fixture.v1' }), shown('expected-totals'));

// ---- sections 5, 6, 7

const raw = (hex) => bytes(hex);
const base64 = (...parts) => Buffer.concat(parts.map((part) => Buffer.from(part))).toString('base64');
const leaves = envelopes.map((envelope) => raw(leafHash(jcs(envelope))));
const root = sha256(Uint8Array.of(1), ...leaves);
is('root', root, shown('root'));

const seed = Uint8Array.from(Array(32).keys());
const pkcs8 = Buffer.concat([raw('302e020100300506032b657004220420'), seed]); // RFC 8410 section 7
const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);
const keyName = 'ledger.example/prod';
const keyId = raw(sha256(`${keyName}\n`, Uint8Array.of(1), publicKey)).subarray(0, 4);
const keyLabel = `${keyName}+${keyId.toString('hex')}`;
is('public key', `${keyLabel}+${base64([1], publicKey)}`, shown('public-key'));
is('private key', `PRIVATE+KEY+${keyLabel}+${base64([1], seed)}`, shown('private-key'));

const checkpoint = `${keyName}/acme/${envelopes[1].chainId}\n2\n${base64(raw(root))}\n`;
const note = `${checkpoint}\n— ${keyName} ${base64(keyId, sign(null, Buffer.from(checkpoint), key))}`;
is('checkpoint', checkpoint.trimEnd(), shown('checkpoint'));
is('signed checkpoint', note, shown('signed-checkpoint'));
is('bundle', `c2sp.org/tlog-proof@v1\nindex 1\n${base64(leaves[0])}\n\n${note}`, shown('bundle'));

const statement = JSON.parse(shown('statement'));
const statementType = 'application/vnd.stella-ledger-anchor+json';
is('statement is canonical', jcs(statement), shown('statement'));
is('statement names the root', statement.rootHash, root);
const preimage = `DSSEv1 ${statementType.length} ${statementType} ${Buffer.byteLength(shown('statement'))} ${shown('statement')}`;
is('dsse', jcs({ payload: base64(shown('statement')), payloadType: statementType,
  signatures: [{ keyid: keyLabel, sig: sign(null, Buffer.from(preimage), key).toString('base64') }] }), shown('dsse'));

// ---- section 9

const { lineDigest, ...exportItem } = JSON.parse(shown('export-line'));
is('export line is canonical', jcs({ ...exportItem, lineDigest }), shown('export-line'));
is('line digest', sha256(jcs(exportItem)), lineDigest);
is('export line is of the projection', exportItem.cycle_hash, shown('cycle-hash'));
const rules = JSON.parse(shown('redaction'));
is('redaction manifest is canonical', jcs(rules), shown('redaction'));
const exportPayload = JSON.parse(shown('export-payload'));
is('export payload is canonical', jcs(exportPayload), shown('export-payload'));
is('data set', sha256(bytes(lineDigest)), exportPayload.datasetSha256);
is('filters hash', sha256(jcs(exportPayload.filters)), exportPayload.filtersHash);
is('redaction hash', sha256(jcs(rules)), exportPayload.redactionSha256);
is('export names the root', exportPayload.chains[0].rootHash, root);
for (const position of ['firstPosition', 'lastPosition'])
  for (const [name, value] of Object.entries(exportPayload[position])) is(`${position}.${name}`, exportItem[name], value);
const exportType = 'application/vnd.stella-ledger-export+json';
const exportPreimage = `DSSEv1 ${exportType.length} ${exportType} ${Buffer.byteLength(shown('export-payload'))} ${shown('export-payload')}`;
is('export manifest', jcs({ manifest: { payload: base64(shown('export-payload')), payloadType: exportType,
  signatures: [{ keyid: keyLabel, sig: sign(null, Buffer.from(exportPreimage), key).toString('base64') }] } }), shown('export-manifest'));

// Every member of the examples stands in the page's tables, and every required one
// of the tables in the examples.
const at = (object, path) => path.split('.').reduce((value, name) => value?.[name], object);
const paths = (object, prefix = '') => Object.entries(object).flatMap(([name, value]) =>
  ['actor', 'finding', 'airgap'].includes(name) ? paths(value, `${name}.`) : [prefix + name]);
function checkMembers(what, rows, objects) {
  const known = rows.map(([member]) => member);
  for (const object of objects) {
    is(`${what}: every member is in the table`, paths(object).filter((path) => !known.includes(path)).join(), '');
    is(`${what}: no required member is absent`, rows.filter(([member, value]) =>
      !value.includes('optional') && at(object, member) === undefined).map(([member]) => member).join(), '');
  }
}
const eventTable = table('2. Event envelope').filter((row) => row.length === 3);
const projectionTable = table('8. Projection').filter((row) => row.length === 3);
checkMembers('envelope', eventTable, envelopes);
checkMembers('projection', projectionTable, [projection]);
checkMembers('statement', table('7. Anchor statement').flatMap(([names, value]) => names.split(', ').map((name) => [name, value])), [statement]);
const exportRows = table('9. Export').filter((row) => row.length > 1).flatMap(([names, ...cells]) => names.split(', ').map((name) => [name, ...cells]));
const nested = (object) => Object.entries(object).flatMap(([name, value]) =>
  ['airgap', 'component', 'provenance', 'risk'].includes(name) ? Object.keys(value).map((inner) => `${name}.${inner}`) : [name]);
for (const [what, object] of [['export line', { ...exportItem, lineDigest }], ['export payload', exportPayload]])
  is(`${what}: every member is in the table`, nested(object).filter((name) => !exportRows.some(([row]) => row === name)).join(), '');
is('every example is used', [...unused].join(), '');

// ---- the same by the extension

const ask = (sql, ...values) => execFileSync('psql', ['-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1', '-d', dsn,
  ...values.flatMap((value, index) => ['-v', `v${index + 1}=${value}`])], { input: sql, encoding: 'utf8', stdio: 'pipe', env: { ...process.env, PGCLIENTENCODING: 'UTF8' } }).trimEnd();

// The row that an envelope describes, by the page's own table.
function row(index) {
  const columns = eventTable.map(([member, , column]) => [column, at(envelopes[index], member)])
    .filter(([, value]) => value !== undefined)
    .map(([column, value]) => [column, /_hash$/.test(column) ? `\\x${value}` : value]);
  return JSON.stringify({ ...Object.fromEntries(columns), event_body: payloads[index], payload_salt: `\\x${salts[index]}` });
}

function byExtension() {
  for (const [input, written] of numbers) {
    let answer = 'refused';
    try {
      answer = ask("SELECT trim(BOTH '[]' FROM ledger.ledger_canonical_json(format('[%s]', :'v1')::jsonb));", input);
    } catch (error) {
      if (!/cannot be represented exactly/.test(error.stderr)) throw error;
    }
    is(`extension: number ${input}`, answer, written);
  }
  is('extension: sorted members', ask("SELECT ledger.ledger_canonical_json(:'v1'::jsonb);", example['sort-input']), sorted);
  is('extension: canonical payload', ask("SELECT ledger.ledger_canonical_json(:'v1'::jsonb);", example['payload-input']), example.payload);
  is('extension: payload hash', ask("SELECT encode(ledger.ledger_payload_hash(decode(:'v2', 'hex'), :'v1'), 'hex');",
    example['payload-input'], salts[0]), example['payload-hash']);
  is('extension: chain id', ask("SELECT ledger.ledger_chain_id('acme', 'policy-2026.1');"), example['chain-id']);
  envelopes.forEach((_, index) => {
    const n = index + 1;
    const event = "FROM jsonb_populate_record(NULL::ledger.ledger_events, :'v1') AS e;";
    is(`extension: envelope ${n}`, ask(`SELECT ledger.ledger_canonical_json(ledger.ledger_event_envelope(e)) ${event}`, row(index)),
      example[`envelope-${n}`]);
    is(`extension: event hash ${n}`, ask(`SELECT encode(ledger.ledger_event_hash(e), 'hex') ${event}`, row(index)), example[`event-hash-${n}`]);
    is(`extension: leaf hash ${n}`, ask(`SELECT encode(ledger.ledger_leaf_hash(e), 'hex') ${event}`, row(index)), example[`leaf-hash-${n}`]);
  });
}

// The signed examples: what the extension makes of them, and that it refuses them changed.
function proofsByExtension() {
  const hex = (hash) => `decode('${hash.toString('hex')}', 'hex')`;
  const lines = (name) => `${example[name]}\n`;
  is('extension: root', ask(`SELECT encode(ledger.ledger_merkle_root(l ORDER BY n), 'hex')
    FROM unnest(ARRAY[${leaves.map(hex)}]) WITH ORDINALITY AS t (l, n);`), example.root);
  is('extension: checkpoint', ask(`SELECT ledger.ledger_checkpoint_text(:'v1', 2, ${hex(raw(root))});`,
    `${keyName}/acme/${envelopes[1].chainId}`), example.checkpoint);
  const verifies = (note) => ask("SELECT ledger.ledger_verify_note(:'v1', :'v2');", note, example['public-key']);
  is('extension: signed checkpoint', verifies(lines('signed-checkpoint')), 't');
  is('extension: signed checkpoint of another size', verifies(lines('signed-checkpoint').replace('\n2\n', '\n3\n')), 'f');
  is('extension: statement', ask("SELECT ledger.ledger_canonical_json(ledger.ledger_verify_dsse(:'v1'::jsonb, :'v2'));",
    example.dsse, example['public-key']), example.statement);
  is('extension: changed statement', ask("SELECT ledger.ledger_verify_dsse(:'v1'::jsonb, :'v2') IS NULL;",
    example.dsse.replace('"payload":"ey', '"payload":"ez'), example['public-key']), 't');
  is('extension: proof of bundle', ask(`SELECT ledger.ledger_verify_inclusion(${hex(leaves[1])}, 1, 2, ARRAY[${hex(leaves[0])}],
    ${hex(raw(root))});`), 't');
}

// The finding of section 8 and its newest event, through the rules of the database.
function exportByDatabase() {
  const finding = { ...Object.fromEntries(projectionTable.map(([member, , column]) => [column, at(projection, member)])), cycle_hash: `\\x${example['cycle-hash']}`,
    observed_at: envelopes[1].occurredAt, updated_at: envelopes[1].recordedAt };
  const event = { ...JSON.parse(row(1)), event_hash: `\\x${example['event-hash-2']}` };
  is('database: export line', ask(`SELECT ledger.ledger_canonical_json(ledger.ledger_http_export_item(f, e, 'canonical', r.paths, r.actions) || jsonb_build_object('lineDigest', :'v3'))
    FROM jsonb_populate_record(NULL::ledger.findings_projection, :'v1') AS f, jsonb_populate_record(NULL::ledger.ledger_events, :'v2') AS e,
    ledger.ledger_http_redact_paths('canonical') AS r;`, JSON.stringify(finding), JSON.stringify(event), lineDigest), example['export-line']);
  is('database: redaction manifest', ask('SELECT ledger.ledger_http_redaction_rules();'), example.redaction);
}

if (dsn) {
  byExtension();
  exportByDatabase();
  proofsByExtension();
}
process.exit(failed ? 1 : 0);
