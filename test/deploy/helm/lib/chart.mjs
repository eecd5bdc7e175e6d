// The chart, rendered by render.go, with values laid over those of its files.
//
//     render({ values: { replicas: 2 }, prod: true })     manifests, as objects
//     one(manifests, 'Service')                           the only one of its kind (and name)
//     refusal({ values })                                 what the renderer complains of
//     holding({ prod: true })                             the values that hold
//
// values are those of services.findingsLedger.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const checkout = fileURLToPath(new URL('../../../..', import.meta.url));
export const chart = join(checkout, 'deploy/helm/stellaops');
const program = process.env.HELM_RENDER ?? join(checkout, 'build/helm/render');

// A directory for as long as the function runs.
export function withDirectory(use) {
	const directory = mkdtempSync(join(tmpdir(), 'ledger-chart-'));
	try {
		return use(directory);
	} finally {
		rmSync(directory, { recursive: true });
	}
}

// Runs the renderer; values go through a file, as Helm's -f.
function run({ values, prod = false, release = 'stellaops', namespace = 'default', root = chart }, ...flags) {
	return withDirectory((directory) => {
		const args = [...flags, '-release', release, '-namespace', namespace];
		if (prod) args.push('-f', join(chart, 'values-prod.yaml'));
		if (values !== undefined) {
			const file = join(directory, 'values.yaml');
			writeFileSync(file, JSON.stringify(root === chart ? { services: { findingsLedger: values } } : values));
			args.push('-f', file);
		}
		return spawnSync(program, [...args, root], { cwd: checkout, encoding: 'utf8', maxBuffer: 1 << 24 });
	});
}

function output(options, ...flags) {
	const { status, stdout, stderr } = run(options, ...flags);
	if (status !== 0) throw new Error(`render: status ${status}: ${stderr}`);
	return stdout;
}

export const render = (options = {}) => JSON.parse(output(options));
export const renderText = (options = {}) => output(options, '-yaml');
export const notes = (options = {}) => output(options, '-notes');
export const holding = (options = {}) => JSON.parse(output(options, '-values'));

export function refusal(options) {
	const { status, stderr } = run(options);
	if (status === 0) throw new Error('rendered, where it should have refused');
	return stderr;
}

export function one(manifests, kind, name) {
	const found = manifests.filter((m) => m.kind === kind && (name === undefined || m.metadata.name === name));
	if (found.length !== 1) throw new Error(`${found.length} of kind ${kind} ${name ?? ''}`);
	return found[0];
}

export const named = (manifests) => manifests.map((m) => `${m.kind} ${m.metadata.name}`).sort();

// The template of every pod that a manifest makes.
export function podTemplates(manifests) {
	return manifests.flatMap((m) => {
		const template = m.kind === 'CronJob' ? m.spec.jobTemplate.spec.template : m.spec?.template;
		return template ? [{ owner: `${m.kind} ${m.metadata.name}`, ...template }] : [];
	});
}

// Values that switch everything on.
export const everything = {
	replicas: 3,
	imagePullSecrets: ['registry'],
	envFromSecrets: ['findings-ledger-secrets', { name: 'findings-ledger-more' }],
	appSettings: { Ledger: { Auth: { Issuer: 'https://authority.example', Skew: '30s' } } },
	service: { annotations: { 'example.org/team': 'ledger' } },
	serviceAccount: { annotations: { 'example.org/role': 'ledger' } },
	podAnnotations: { 'example.org/scrape': 'true' },
	nodeSelector: { 'kubernetes.io/os': 'linux' },
	tolerations: [{ key: 'dedicated', operator: 'Exists', effect: 'NoSchedule' }],
	affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [
		{ weight: 1, podAffinityTerm: { topologyKey: 'kubernetes.io/hostname' } }] } },
	priorityClassName: 'important',
	extraVolumes: [{ name: 'authority', configMap: { name: 'authority' } }],
	extraVolumeMounts: [{ name: 'authority', mountPath: '/etc/ledger/authority', readOnly: true }],
	migrations: { secretName: 'ledger-migrator', superuserSecretName: 'ledger-superuser' },
	signer: { enabled: true, secretName: 'ledger-signer', keySecretName: 'ledger-key',
		env: { LEDGER__EXTERNALANCHORING__ENABLED: 'true' }, storage: { storageClassName: 'fast' } },
	verification: { enabled: true, secretName: 'ledger-auditor', args: ['--incremental'] },
	backup: { enabled: true, secretName: 'ledger-backup' },
	networkPolicy: { enabled: true, ingressFrom: [{ namespaceSelector: { matchLabels: { team: 'scanners' } } }],
		databasePeers: [{ ipBlock: { cidr: '10.0.0.0/8' } }], authorityPeers: [{ ipBlock: { cidr: '10.1.0.0/16' } }],
		extraEgress: [{ ports: [{ port: 4318, protocol: 'TCP' }] }] },
	serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
};

export const gateway = (name) => join(checkout, 'gateway/bin', name);
export const runProgram = (name, args, env) =>
	execFileSync(gateway(name), args, { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'pipe'] });
