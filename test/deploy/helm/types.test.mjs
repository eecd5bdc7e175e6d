// Every manifest against the types of Kubernetes' own API (npm kubernetes-types), strictly: a
// member that does not exist, or has another type, is an error of the compiler.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { everything, one, render } from './lib/chart.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const work = join(here, 'node_modules/.manifests');

// The Prometheus operator's kind is not of Kubernetes: the members that it must have here.
const monitor = `export interface ServiceMonitor { apiVersion: 'monitoring.coreos.com/v1'; kind: 'ServiceMonitor';
	metadata: { name: string; namespace: string; labels: Record<string, string> };
	spec: { selector: { matchLabels: Record<string, string> };
		endpoints: { port: string; path: string; scheme: 'http' | 'https'; interval: string; scrapeTimeout: string }[] } }\n`;

function source(manifest, number) {
	const { apiVersion, kind } = manifest;
	const group = apiVersion.replace('.k8s.io', '').replace(/^v1$/, 'core/v1');
	const from = kind === 'ServiceMonitor' ? './monitor' : `kubernetes-types/${group}`;
	return `import type { ${kind} as K${number} } from '${from}';\nexport const m${number}: K${number} = ${JSON.stringify(manifest, null, 1)};\n`;
}

function compile(manifests) {
	rmSync(work, { recursive: true, force: true });
	mkdirSync(work);
	try {
		writeFileSync(join(work, 'monitor.ts'), monitor);
		writeFileSync(join(work, 'manifests.ts'), manifests.map(source).join(''));
		const args = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--module', 'esnext', '--moduleResolution', 'bundler',
			join(work, 'manifests.ts')];
		const { status, stdout } = spawnSync(join(here, 'node_modules/.bin/tsc'), args, { encoding: 'utf8', cwd: here });
		return { status, errors: stdout };
	} finally {
		rmSync(work, { recursive: true, force: true });
	}
}

test('the manifests have the types of Kubernetes', () => {
	const manifests = [{}, { prod: true }, { values: everything }, { values: { ...everything, service: { type: 'LoadBalancer' } } }].flatMap(render);
	assert.ok(manifests.length > 30, `${manifests.length} manifests`);
	const { status, errors } = compile(manifests);
	assert.equal(errors, '');
	assert.equal(status, 0);
});

test('the compiler sees what is wrong with a manifest', () => {
	const wrong = [
		[(m) => { m.spec.template.spec.containers[0].ports[0].containerport = 1; }, /'"containerport"' does not exist in type 'ContainerPort'/],
		[(m) => { m.spec.template.spec.containers[0].livenessProbe.periodSeconds = '10'; }, /Type 'string' is not assignable to type 'number'/],
		[(m) => { delete m.spec.template.spec.containers[0].readinessProbe.httpGet.port; }, /Property 'port' is missing/],
		[(m) => { delete m.spec.selector; }, /Property 'selector' is missing/],
	];
	const { status, errors } = compile(wrong.map(([change]) => {
		const deployment = one(render(), 'Deployment');
		change(deployment);
		return deployment;
	}));
	assert.notEqual(status, 0);
	for (const [, expected] of wrong) assert.match(errors, expected);
});
