// Is a list of what an image is made of what CycloneDX 1.5 wants, and does it name every package?
//
// usage: sbom.mjs SBOM PACKAGES     PACKAGES: what dpkg-query says, "name<TAB>version" a line
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import Ajv from 'ajv';
import addFormats from 'ajv-formats';
import addFormats2019 from 'ajv-formats-draft2019';

const [file, packagesFile] = process.argv.slice(2);
const schemas = createRequire(import.meta.url).resolve('@cyclonedx/cyclonedx-library/package.json')
	.replace(/package\.json$/, 'res/schema/');
const schema = (name) => JSON.parse(readFileSync(`${schemas}${name}.SNAPSHOT.schema.json`, 'utf8'));

// The schema has keywords of its own ("meta:enum") that check nothing.
const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);
addFormats2019(ajv, { formats: ['idn-email'] });
ajv.addFormat('iri-reference', true);
for (const name of ['spdx', 'jsf-0.82'])
	ajv.addSchema(schema(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
const validate = ajv.compile(schema('bom-1.5'));

const wrong = [];
const sbom = JSON.parse(readFileSync(file, 'utf8'));
if (sbom.bomFormat !== 'CycloneDX' || sbom.specVersion !== '1.5') wrong.push('it is not CycloneDX 1.5');
if (!validate(sbom)) wrong.push(...validate.errors.map((error) => `${error.instancePath} ${error.message}`));

const listed = (sbom.components ?? []).filter((part) => part.type === 'library');
const said = listed.map((part) => `${part.name}\t${part.version}`).sort();
const installed = readFileSync(packagesFile, 'utf8').split('\n').filter((line) => line !== '').sort();
if (said.join('\n') !== installed.join('\n'))
	wrong.push(`it lists ${said.length} packages, dpkg ${installed.length}, or others`);
if (new Set(listed.map((part) => part['bom-ref'])).size !== listed.length)
	wrong.push('two parts have the same bom-ref');
for (const { purl } of listed)
	if (!/^pkg:deb\/debian\/[a-z0-9.%B-]+@[A-Za-z0-9.%~-]+\?arch=[a-z0-9]+&distro=debian-12$/.test(purl))
		wrong.push(`bad package URL: ${purl}`);

if (wrong.length > 0) {
	console.log(wrong.slice(0, 20).join('\n'));
	process.exitCode = 1;
}
