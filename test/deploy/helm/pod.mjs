// Writes what podman plays in place of a cluster: the rendered Deployment, the Job of the migrations as a pod
// (podman knows no Jobs), and the secrets that both name.  Port 8080 is published, in place of kubectl's
// port-forward.  All else is as rendered.
//
// usage: pod.mjs DIRECTORY IMAGE ADMIN_DSN GATEWAY_DSN
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { one, render } from './lib/chart.mjs';

const [directory, image, admin, gateway] = process.argv.slice(2);
const write = (name, manifest) => writeFileSync(join(directory, name), JSON.stringify(manifest, null, 1));
// As podman 4.3 reads it: the data of a Secret, alone.
const secret = (name, values) => writeFileSync(join(directory, `${name}.json`),
	JSON.stringify(Object.fromEntries(Object.entries(values).map(([k, v]) => [k, Buffer.from(v).toString('base64')]))), { mode: 0o600 });

const [, repository, tag] = /^(.*):([^:]*)$/.exec(image);
const manifests = render({ values: {
	image: { repository, tag, pullPolicy: 'Never' },
	migrations: { secretName: 'findings-ledger-migrator' },
	drain: { delaySeconds: 1, timeoutSeconds: 20 },
	env: { LEDGER__AUTH__JWKS: '/etc/ledger/authority/jwks.json', LEDGER__AUTH__ISSUER: 'https://authority.example', LEDGER__AUTH__AUDIENCE: 'ledger' },
	extraVolumes: [{ name: 'authority', hostPath: { path: join(directory, 'authority'), type: 'Directory' } }],
	extraVolumeMounts: [{ name: 'authority', mountPath: '/etc/ledger/authority', readOnly: true }],
} });
const { metadata: { name, labels }, spec: { template: { spec } } } = one(manifests, 'Job');
// It ends with its command: a pod of its own, which is not started again.
write('migrate.yaml', { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels }, spec });
const deployment = one(manifests, 'Deployment');
deployment.spec.template.spec.containers[0].ports[0].hostPort = 8080;
write('deployment.yaml', deployment);
secret('findings-ledger-migrator', { LEDGER__DB__CONNECTIONSTRING: admin });
secret('findings-ledger-secrets', {
	LEDGER__DB__CONNECTIONSTRING: gateway, LEDGER__ATTACHMENTS__ENCRYPTIONKEY: randomBytes(32).toString('base64') });
