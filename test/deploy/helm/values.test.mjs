// The schema of the values: what the chart ships passes, and typing errors do not.  And the
// settings that the values make are settings of the real gateway.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import Ajv from 'ajv';
import { chart, everything, holding, one, podTemplates, render, runProgram } from './lib/chart.mjs';

const schema = JSON.parse(readFileSync(join(chart, 'values.schema.json'), 'utf8'));
const validate = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true }).compile(schema);
const faults = (options) => (validate(holding(options)) ? [] : validate.errors.map((e) =>
	`${e.instancePath} ${e.params.additionalProperty ?? e.params.propertyName ?? ''} ${e.message}`));

test('the values of the chart pass, and so do all switches', () => {
	for (const options of [{}, { prod: true }, { values: everything }, { values: { enabled: false } }])
		assert.deepEqual(faults(options), []);
});

test('a name that is not known is refused, wherever it stands', () => {
	const objects = [];
	const walk = (value, path) => {
		if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
		// What is the user's own to name, or Kubernetes'.
		if (/\.(annotations|podAnnotations|nodeSelector|labels|affinity|Ledger)$/.test(path)) return;
		objects.push(path);
		for (const [name, member] of Object.entries(value)) walk(member, `${path}.${name}`);
	};
	walk({ findingsLedger: holding({ values: everything }).services.findingsLedger }, '');
	assert.ok(objects.length > 30, `${objects.length} objects`);
	for (const path of objects.filter((p) => p !== '')) {
		const values = holding({ values: everything });
		const object = path.split('.').slice(1).reduce((o, name) => o[name], values.services);
		object.replcias = 3;
		assert.equal(validate(values), false, path);
	}
	for (const values of [{ service: {} }, { services: {}, findingsLedger: {} }]) assert.equal(validate({ ...holding(), ...values }), false);
});

test('values of the wrong kind are refused', () => {
	for (const values of [
		{ enabled: 'yes' }, { replicas: '2' }, { replicas: -1 }, { replicas: 1.5 }, { image: { tag: 2025.11 } }, { image: { repository: '' } },
		{ image: { digest: 'sha256:abc' } }, { image: { pullPolicy: 'Allways' } }, { envFromSecrets: 'findings-ledger-secrets' },
		{ envFromSecrets: ['Findings_Ledger'] }, { envFromSecrets: [{ nmae: 'x' }] }, { env: { LEDGER__OBSERVABILITY__ENABLED: true } },
		{ env: { LEDGER_DB_QUEUE: '1' } }, { env: { ledger__db__queue: '1' } }, { resources: { requests: { cpu: '500 m' } } },
		{ resources: { limit: {} } }, { probes: { readinessPath: 'health/ready' } }, { probes: { scheme: 'http' } }, { drain: { delaySeconds: '10s' } },
		{ service: { type: 'ClusterIp' } }, { verification: { schedule: 'daily' } }, { backup: { storage: { size: '200 GB' } } },
		{ networkPolicy: { databasePort: 0 } }, { serviceMonitor: { interval: '30' } }, { podDisruptionBudget: { minAvailable: 'half' } },
		{ appSettings: { Legder: {} } }])
		assert.notDeepEqual(faults({ values }), [], JSON.stringify(values));
});

test('secrets are refused where they could be read', () => {
	for (const name of ['LEDGER__DB__CONNECTIONSTRING', 'LEDGER__ATTACHMENTS__ENCRYPTIONKEY', 'LEDGER__ATTACHMENTS__PREVIOUSKEYS',
		'LEDGER__EXPORT__SIGNINGKEY', 'LEDGER__HTTP__CURSORKEY', 'LEDGER__MERKLE__SIGNINGKEY', 'PGPASSWORD'])
		assert.notDeepEqual(faults({ values: { env: { [name]: 'x' } } }), [], name);
	// Every setting that the gateway calls a secret is among them.
	const page = runProgram('ledger-gateway', ['--print-settings-reference']);
	const secret = [...page.matchAll(/^\| `(LEDGER__\w+)` .*\| secret(, reload)? \|/gm)].map((m) => m[1]);
	assert.ok(secret.length >= 6, `${secret}`);
	for (const name of secret) assert.ok(schema.definitions.env.propertyNames.not.enum.includes(name), name);
});

test('what has a value of its own is no setting', () => {
	for (const name of ['LEDGER__HTTP__DRAINDELAY', 'LEDGER__HTTP__DRAINTIMEOUT'])
		assert.notDeepEqual(faults({ values: { env: { [name]: '1s' } } }), [], name);
});

test('the real gateway takes the settings of the chart', () => {
	for (const options of [{}, { prod: true }, { values: everything }]) {
		const { env } = one(render(options), 'Deployment', 'stellaops-findings-ledger').spec.template.spec.containers[0];
		const settings = Object.fromEntries(env.map(({ name, value }) => [name, value]));
		assert.match(runProgram('ledger-gateway', ['--check-config'], settings), /the settings are good/);
	}
	assert.throws(() => runProgram('ledger-gateway', ['--check-config'], { LEDGER__HTTP__DRAINDELY: '1s' }));
});

test('the commands of the jobs are commands of the real ledgerctl, with options that it has', async (t) => {
	const commands = podTemplates(render({ values: everything })).flatMap((p) => p.spec.containers).map((c) => c.command).filter(Boolean);
	assert.deepEqual(commands.map((c) => c.slice(0, 2).join(' ')).sort(),
		['ledgerctl anchor', 'ledgerctl backup', 'ledgerctl migrate', 'ledgerctl verify']);
	const env = { PATH: process.env.PATH };
	for (const [, command, ...args] of commands)
		await t.test(command, () => {
			const help = runProgram('ledgerctl', [command, '--help'], env);
			for (const option of args.filter((a) => a.startsWith('--'))) assert.ok(help.includes(`  ${option}`), `${command} ${option}`);
		});
});
