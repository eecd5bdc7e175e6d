// What the chart renders: the guide's names, and what each value switches.  Written out, so that
// a change of a name or a port is a change here.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { everything, named, notes, one, podTemplates, refusal, render, renderText } from './lib/chart.mjs';

const standard = ['Deployment stellaops-findings-ledger', 'Job stellaops-findings-ledger-migrate',
	'Service stellaops-findings-ledger', 'ServiceAccount stellaops-findings-ledger'];

test('the defaults are a gateway, its service and account, and the migrations', () => {
	assert.deepEqual(named(render()), standard);
});

test('production adds jobs, policies and a disruption budget', () => {
	assert.deepEqual(named(render({ prod: true })), [
		'CronJob stellaops-findings-ledger-backup', 'CronJob stellaops-findings-ledger-verify', ...standard.slice(0, 2),
		'NetworkPolicy stellaops-findings-ledger', 'NetworkPolicy stellaops-findings-ledger-tools',
		'PersistentVolumeClaim stellaops-findings-ledger-backup', 'PodDisruptionBudget stellaops-findings-ledger', ...standard.slice(2)]);
});

test('the service is stellaops-findings-ledger, port 8080', () => {
	assert.deepEqual(one(render({ prod: true }), 'Service').spec, {
		type: 'ClusterIP',
		selector: { 'app.kubernetes.io/name': 'findings-ledger', 'app.kubernetes.io/instance': 'stellaops', 'app.kubernetes.io/component': 'gateway' },
		ports: [{ name: 'http', port: 8080, targetPort: 'http', protocol: 'TCP' }],
	});
});

test('the container is what the guide says: image, secret, environment, port, resources, probes', () => {
	const { spec } = one(render(), 'Deployment');
	const [container] = spec.template.spec.containers;
	assert.equal(spec.template.spec.containers.length, 1);
	assert.equal(container.image, 'stellaops/findings-ledger:2025.11.0');
	assert.deepEqual(container.envFrom, [{ secretRef: { name: 'findings-ledger-secrets' } }]);
	assert.deepEqual(container.env, [
		{ name: 'ASPNETCORE_URLS', value: 'http://0.0.0.0:8080' },
		{ name: 'LEDGER__MERKLE__ANCHORINTERVAL', value: '00:05:00' },
		{ name: 'LEDGER__OBSERVABILITY__ENABLED', value: 'true' },
		{ name: 'LEDGER__HTTP__DRAINDELAY', value: '10s' },
		{ name: 'LEDGER__HTTP__DRAINTIMEOUT', value: '30s' }]);
	assert.deepEqual(container.ports, [{ name: 'http', containerPort: 8080, protocol: 'TCP' }]);
	assert.deepEqual(container.resources, { requests: { cpu: '500m', memory: '1Gi' }, limits: { cpu: '2', memory: '4Gi' } });
	assert.deepEqual(container.readinessProbe, {
		httpGet: { path: '/health/ready', port: 'http', scheme: 'HTTP' }, periodSeconds: 3, timeoutSeconds: 2, failureThreshold: 2 });
	assert.deepEqual(container.livenessProbe, {
		httpGet: { path: '/health/live', port: 'http', scheme: 'HTTP' }, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 });
	assert.deepEqual(container.startupProbe, {
		httpGet: { path: '/health/live', port: 'http', scheme: 'HTTP' }, periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 30 });
});

test('Kubernetes waits for as long as the gateway drains, and 10 s more', () => {
	const { spec } = one(render({ values: { drain: { delaySeconds: 7, timeoutSeconds: 90 } } }), 'Deployment').spec.template;
	assert.equal(spec.terminationGracePeriodSeconds, 107);
	const value = (name) => spec.containers[0].env.find((e) => e.name === name).value;
	assert.equal(value('LEDGER__HTTP__DRAINDELAY'), '7s');
	assert.equal(value('LEDGER__HTTP__DRAINTIMEOUT'), '90s');
});

test('each switch adds or takes its own manifests and no others', () => {
	const none = (name) => standard.filter((line) => line !== name);
	const extra = (...lines) => [...standard, ...lines].sort();
	const name = 'stellaops-findings-ledger';
	for (const [values, expected] of [
		[{ enabled: false }, []],
		[{ ...everything, enabled: false }, []],
		[{ migrations: { enabled: false } }, none(`Job ${name}-migrate`)],
		[{ serviceAccount: { create: false } }, none(`ServiceAccount ${name}`)],
		[{ replicas: 2 }, extra(`PodDisruptionBudget ${name}`)],
		[{ replicas: 2, podDisruptionBudget: { enabled: false } }, standard],
		[{ appSettings: everything.appSettings }, extra(`ConfigMap ${name}-settings`)],
		[{ networkPolicy: { enabled: true } }, extra(`NetworkPolicy ${name}`, `NetworkPolicy ${name}-tools`)],
		[{ serviceMonitor: { enabled: true } }, extra(`ServiceMonitor ${name}`)],
		[{ signer: everything.signer }, extra(`Deployment ${name}-signer`, `PersistentVolumeClaim ${name}-signer`)],
		[{ signer: { ...everything.signer, storage: { existingClaim: 'kept' } } }, extra(`Deployment ${name}-signer`)],
		[{ verification: everything.verification }, extra(`CronJob ${name}-verify`)],
		[{ backup: everything.backup }, extra(`CronJob ${name}-backup`, `PersistentVolumeClaim ${name}-backup`)],
		[{ backup: { ...everything.backup, storage: { existingClaim: 'kept' } } }, extra(`CronJob ${name}-backup`)],
	])
		assert.deepEqual(named(render({ values })), expected, JSON.stringify(values));
});

test('what a value says stands where it belongs', () => {
	const { spec } = one(render({ values: everything }), 'Deployment', 'stellaops-findings-ledger').spec.template;
	assert.deepEqual(spec.imagePullSecrets, [{ name: 'registry' }]);
	assert.deepEqual(spec.containers[0].envFrom.map((e) => e.secretRef.name), ['findings-ledger-secrets', 'findings-ledger-more']);
	assert.deepEqual(spec.volumes.map((v) => v.name), ['tmp', 'settings', 'authority']);
	assert.deepEqual(spec.containers[0].volumeMounts.map((m) => m.mountPath), ['/tmp', '/app/appsettings.json', '/etc/ledger/authority']);
	assert.deepEqual(spec.tolerations, everything.tolerations);
	assert.deepEqual(spec.affinity, everything.affinity);
	assert.equal(spec.priorityClassName, 'important');
	assert.equal(spec.serviceAccountName, 'stellaops-findings-ledger');
	assert.deepEqual(spec.topologySpreadConstraints.map((c) => c.topologyKey), ['topology.kubernetes.io/zone', 'kubernetes.io/hostname']);
	const account = (serviceAccount) => one(render({ values: { serviceAccount } }), 'Deployment').spec.template.spec.serviceAccountName;
	assert.equal(account({ create: false }), 'default');
	assert.equal(account({ create: true, name: 'mine' }), 'mine');
	const digest = `sha256:${'a'.repeat(64)}`;
	const image = (values) => one(render({ values: { image: values } }), 'Deployment').spec.template.spec.containers[0].image;
	assert.equal(image({ repository: 'registry.example/ledger', digest }), `registry.example/ledger@${digest}`);
	assert.equal(image({ tag: '1.2.3' }), 'stellaops/findings-ledger:1.2.3');
});

test('other settings make other pods', () => {
	const sum = (values) => one(render({ values }), 'Deployment').spec.template.metadata.annotations['checksum/settings'];
	const setting = (skew) => ({ appSettings: { Ledger: { Auth: { Skew: skew } } } });
	assert.notEqual(sum(setting('30s')), sum(setting('31s')));
	assert.equal(sum(setting('30s')), sum(setting('30s')));
	const { data } = one(render({ values: everything }), 'ConfigMap');
	assert.deepEqual(JSON.parse(data['appsettings.json']), everything.appSettings);
});

test('no pod may do more than it must', () => {
	const templates = podTemplates(render({ values: everything }));
	assert.deepEqual(templates.map((t) => t.owner).sort(), ['CronJob stellaops-findings-ledger-backup', 'CronJob stellaops-findings-ledger-verify',
		'Deployment stellaops-findings-ledger', 'Deployment stellaops-findings-ledger-signer', 'Job stellaops-findings-ledger-migrate']);
	for (const { owner, spec } of templates) {
		assert.equal(spec.automountServiceAccountToken, false, owner);
		assert.equal(spec.enableServiceLinks, false, owner);
		assert.deepEqual(spec.securityContext, { runAsNonRoot: true, runAsUser: 10001, runAsGroup: 10001, fsGroup: 10001,
			fsGroupChangePolicy: 'OnRootMismatch', seccompProfile: { type: 'RuntimeDefault' } }, owner);
		for (const container of spec.containers) {
			assert.deepEqual(container.securityContext, { allowPrivilegeEscalation: false, privileged: false,
				readOnlyRootFilesystem: true, runAsNonRoot: true, capabilities: { drop: ['ALL'] } }, owner);
			assert.ok(container.resources.limits.memory && container.resources.requests.cpu, owner);
		}
		for (const field of ['hostNetwork', 'hostPID', 'hostIPC']) assert.equal(spec[field], undefined, owner);
	}
});

test('a job gets its own login and no secret besides', () => {
	const logins = podTemplates(render({ values: everything })).filter((t) => t.owner !== 'Deployment stellaops-findings-ledger')
		.map(({ owner, spec: { containers: [{ envFrom, env }] } }) => {
			assert.equal(envFrom, undefined, owner);
			const secrets = env.filter((e) => e.valueFrom).map((e) => [e.name, e.valueFrom.secretKeyRef.name, e.valueFrom.secretKeyRef.key]);
			return [owner.split('-').at(-1), secrets];
		});
	const connection = 'LEDGER__DB__CONNECTIONSTRING';
	assert.deepEqual(Object.fromEntries(logins), {
		backup: [[connection, 'ledger-backup', connection]],
		migrate: [[connection, 'ledger-migrator', connection], ['LEDGER__DB__SUPERUSERCONNECTIONSTRING', 'ledger-superuser', connection]],
		signer: [[connection, 'ledger-signer', connection]],
		verify: [[connection, 'ledger-auditor', connection]],
	});
	const [migrate] = one(render(), 'Job').spec.template.spec.containers;
	assert.equal(migrate.env[0].valueFrom.secretKeyRef.name, 'findings-ledger-secrets', 'without a login of its own, the gateway\'s');
});

test('selectors find the gateway and nothing else', () => {
	const manifests = render({ values: everything });
	const pods = podTemplates(manifests).map((t) => ({ owner: t.owner, labels: t.metadata.labels }));
	const matched = (labels) => pods.filter((p) => Object.entries(labels).every(([k, v]) => p.labels[k] === v)).map((p) => p.owner);
	const gateway = ['Deployment stellaops-findings-ledger'];
	assert.deepEqual(matched(one(manifests, 'Service').spec.selector), gateway);
	assert.deepEqual(matched(one(manifests, 'PodDisruptionBudget').spec.selector.matchLabels), gateway);
	assert.deepEqual(matched(one(manifests, 'NetworkPolicy', 'stellaops-findings-ledger').spec.podSelector.matchLabels), gateway);
	for (const m of manifests.filter((d) => d.kind === 'Deployment')) assert.deepEqual(matched(m.spec.selector.matchLabels), [`Deployment ${m.metadata.name}`]);
	const { labels } = one(manifests, 'Service').metadata;
	for (const [k, v] of Object.entries(one(manifests, 'ServiceMonitor').spec.selector.matchLabels)) assert.equal(labels[k], v);
});

test('the policies let through callers, names, the database and the authority', () => {
	const policy = (values, name = 'stellaops-findings-ledger') => one(render({ values: { networkPolicy: { enabled: true, ...values } } }), 'NetworkPolicy', name).spec;
	const dns = { ports: [{ port: 53, protocol: 'UDP' }, { port: 53, protocol: 'TCP' }] };
	const port = (number) => ({ ports: [{ port: number, protocol: 'TCP' }] });
	const open = policy({});
	assert.deepEqual(open.policyTypes, ['Ingress', 'Egress']);
	assert.deepEqual(open.ingress, [{ ...port(8080), from: [{ podSelector: {} }] }]);
	assert.deepEqual(open.egress, [dns, port(5432), port(443)]);
	const given = everything.networkPolicy;
	assert.deepEqual(policy(given).ingress, [{ ...port(8080), from: given.ingressFrom }]);
	assert.deepEqual(policy(given).egress, [dns, { ...port(5432), to: given.databasePeers }, { ...port(443), to: given.authorityPeers }, port(4318)]);
	assert.deepEqual(policy({ authorityPort: 0, databasePort: 6432 }).egress, [dns, port(6432)]);
	const tools = policy({}, 'stellaops-findings-ledger-tools');
	assert.deepEqual([tools.policyTypes, tools.ingress, tools.egress], [['Ingress', 'Egress'], undefined, [dns, port(5432)]]);
});

test('migrations run before what needs them, and stay to be read if they fail', () => {
	assert.deepEqual(one(render(), 'Job').metadata.annotations, {
		'helm.sh/hook': 'pre-install,pre-upgrade', 'helm.sh/hook-delete-policy': 'before-hook-creation,hook-succeeded' });
});

test('scheduled jobs do not overlap, and a verification is not tried twice', () => {
	const manifests = render({ values: everything });
	for (const [kind, schedule, retries, command] of [
		['verify', '23 2 * * *', 0, ['ledgerctl', 'verify', '--incremental']],
		['backup', '41 1 * * *', 2, ['ledgerctl', 'backup', '--dir', '/backup']]]) {
		const { spec } = one(manifests, 'CronJob', `stellaops-findings-ledger-${kind}`);
		assert.equal(spec.schedule, schedule);
		assert.equal(spec.concurrencyPolicy, 'Forbid');
		assert.equal(spec.jobTemplate.spec.backoffLimit, retries);
		assert.deepEqual(spec.jobTemplate.spec.template.spec.containers[0].command, command);
	}
	const claims = manifests.filter((m) => m.kind === 'PersistentVolumeClaim');
	for (const claim of claims) assert.equal(claim.metadata.annotations['helm.sh/resource-policy'], 'keep');
	assert.deepEqual(claims.map((c) => c.spec.resources.requests.storage), ['200Gi', '1Gi']);
});

test('there is one signer, which ends before the next begins, and only it has the key', () => {
	const manifests = render({ values: everything });
	const { spec } = one(manifests, 'Deployment', 'stellaops-findings-ledger-signer');
	assert.deepEqual([spec.replicas, spec.strategy], [1, { type: 'Recreate' }]);
	assert.deepEqual(spec.template.spec.containers[0].command, ['ledgerctl', 'anchor', '--loop', '60',
		'--key-file', '/run/findings-ledger/log.key', '--state-dir', '/var/lib/findings-ledger-signer']);
	assert.deepEqual(spec.template.spec.volumes[1], { name: 'key', secret: { secretName: 'ledger-key', defaultMode: 0o440,
		items: [{ key: 'log.key', path: 'log.key' }] } });
	const holders = podTemplates(manifests).filter((t) => JSON.stringify(t).includes('ledger-key')).map((t) => t.owner);
	assert.deepEqual(holders, ['Deployment stellaops-findings-ledger-signer']);
});

test('what cannot work is refused with the value to set', () => {
	for (const part of ['signer', 'verification', 'backup'])
		assert.match(refusal({ values: { [part]: { enabled: true } } }), new RegExp(`services\\.findingsLedger\\.${part}\\.secretName: the secret of`));
	assert.match(refusal({ values: { signer: { enabled: true, secretName: 'x' } } }), /signer\.keySecretName/);
	assert.match(refusal({ values: { envFromSecrets: [] } }), /envFromSecrets is empty/);
	assert.match(refusal({ release: 'r'.repeat(24) }), /the name of the release has 24 characters; at most 23/);
	const longest = named(render({ values: everything, release: 'r'.repeat(23) })).map((line) => line.split(' ')[1].length);
	assert.ok(Math.max(...longest) <= 52);
});

test('names and namespace follow the release', () => {
	const manifests = render({ values: everything, release: 'second', namespace: 'ledgers' });
	for (const m of manifests) {
		assert.match(m.metadata.name, /^second-findings-ledger(-[a-z]+)?$/);
		assert.equal(m.metadata.namespace, 'ledgers');
		assert.equal(m.metadata.labels['app.kubernetes.io/instance'], 'second');
	}
});

test('the same values render to the same bytes', () => {
	for (const options of [{}, { prod: true }, { values: everything }])
		assert.equal(renderText(options), renderText(options));
});

test('the notes are the steps of the guide, and what is still missing', () => {
	const text = notes({ namespace: 'ledgers' });
	assert.match(text, /kubectl --namespace ledgers logs deploy\/stellaops-findings-ledger \| grep "Ledger started"/);
	assert.match(text, /kubectl --namespace ledgers port-forward svc\/stellaops-findings-ledger 8080/);
	assert.match(text, /curl -sf http:\/\/127\.0\.0\.1:8080\/metrics \| head/);
	assert.match(text, /accepts no token, .* until LEDGER__AUTH__JWKS/s);
	assert.match(text, /Backups are not scheduled/);
	assert.doesNotMatch(notes({ values: everything }), /accepts no token|Backups are not|without a signature/);
	assert.match(notes({ values: everything }), /3 gateways share page tokens only if/);
	assert.match(notes({ values: { enabled: false } }), /not enabled/);
});
