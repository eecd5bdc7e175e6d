// Writes what mutations.c and mangled.c read: a bundle in which everything is authenticated, its event
// as an envelope and as a line, one with extra data and an unknown signature, keys,
// statements.
//
// usage: fixture.mjs DIR
import { jcs } from '../audit/hashes.mjs';
import { anchorType, bundle, dsse, exportLine, head, key, lines, log, note, put, sha256, statement } from './log.mjs';

const dir = process.argv[2];
const logKey = key('ledger.example/test');
const witness = key('witness.example/w1', 4);
// Control characters are escapes with hex digits: their case is a change without meaning.
const made = log('acme', 13, { change: (n) => (n === 7 ? { evidence_bundle_ref: 'bell \u001f rings', source_run_id: null } : {}) });
const text = head(made, 13);
const checkpoint = note(text, logKey, witness);
// 69 bytes and 33 bytes: base64 without padding, of which every digit may be any other.
const stranger = `\u2014 unknown.example ${Buffer.concat([sha256('a'), sha256('b'), Buffer.from('five!')]).toString('base64')}\n`;
const extra = Buffer.concat([sha256('extra'), Buffer.from([0])]).toString('base64');

put(dir, 'bundle', bundle(made, 6, 13, checkpoint));
put(dir, 'open-bundle', bundle(made, 6, 13, checkpoint + stranger, extra));
put(dir, 'event', made.envelopes[6]);
put(dir, 'line', exportLine(made.rows[6]));
put(dir, 'checkpoint', checkpoint);
put(dir, 'log.vkey', logKey.vkey);
put(dir, 'witness.vkey', witness.vkey);
put(dir, 'text', text);
put(dir, 'lines', lines(made));
put(dir, 'log.skey', logKey.skey);
put(dir, 'dsse', dsse(statement(made, 3, 13), anchorType, logKey));
put(dir, 'airgap', jcs({ bundleId: 'b-1', checkpoint, dsse: JSON.parse(dsse(statement(made, 3, 13), anchorType, logKey)), schema: 'ledger.airgap.v1' }));
