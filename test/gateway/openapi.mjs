// openapi.yaml: it is good by its linter, tells of every route and of nothing else, is
// served as it stands, and its examples are what it says.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { file, program, request, root, startGateway } from './lib/gateway.mjs';
import { answerComplaints, complaints, documentText, findPath, methods, openapi, resolve } from './lib/openapi.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const routes = JSON.parse(execFileSync(program, ['--print-routes'], { encoding: 'utf8', env: {} }));
// {findingId*} takes %2F, {tile...} the rest: OpenAPI has one form.
const template = (pattern) => pattern.replace(/\*\}/g, '}').replace(/\.\.\.\}/g, '}');
const operations = Object.entries(openapi.paths).flatMap(([path, item]) =>
	methods.filter((method) => item[method]).map((method) => ({ path, method: method.toUpperCase(), ...item[method] })));
const parameters = (operation, where) => (operation.parameters ?? []).map(resolve).filter((parameter) => parameter.in === where);
const operationOf = (route) => operations.find((operation) => operation.operationId === route.name);

let gateway;
before(async () => { gateway = await startGateway(); });
after(() => gateway.stop());

const lint = (path) => {
	try {
		execFileSync('node_modules/.bin/redocly', ['lint', '--config', 'redocly.yaml', path], { cwd: here, encoding: 'utf8', stdio: 'pipe',
			env: { PATH: process.env.PATH, HOME: process.env.HOME ?? '/', REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' } });
		return '';
	} catch (error) {
		return `${error.stdout}${error.stderr}`;
	}
};

test('the linter has nothing to say', () => {
	assert.equal(lint(`${root}/gateway/openapi.yaml`), '');
});

test('and would say it', () => {
	const broken = file('openapi.yaml', documentText.replace("$ref: '#/components/schemas/EventPage'", "$ref: '#/components/schemas/Nothing'"));
	assert.match(lint(broken), /Nothing/);
});

test('it has the version of the release', () => {
	const [, version] = /^default_version = '(.*)'$/m.exec(readFileSync(`${root}/extension/findings_ledger.control`, 'utf8'));
	assert.equal(openapi.info.version, version);
});

test('routes and operations are the same', () => {
	const told = (list) => list.map(([name, method, path]) => `${name} ${method} ${path}`).sort();
	assert.deepEqual(told(operations.map((o) => [o.operationId, o.method, o.path])), told(routes.map((r) => [r.name, r.method, template(r.pattern)])));
});

for (const route of routes) {
	test(`${route.name}: parameters, scope and body are the route's`, () => {
		const operation = operationOf(route);
		assert.deepEqual(parameters(operation, 'query').map((p) => p.name).sort(), [...route.query].sort(), 'query');
		assert.deepEqual(parameters(operation, 'path').map((p) => p.name).sort(),
			[...template(route.pattern).matchAll(/\{([^}]+)\}/g)].map((match) => match[1]).sort(), 'path');
		const headers = parameters(operation, 'header').map((p) => p.name);
		if (route.scope === '') {
			assert.deepEqual(operation.security, [], 'a public route');
		} else {
			assert.match(operation.description, new RegExp(`Scope: \`${route.scope.replaceAll('.', '\\.')}\``));
			assert.ok(headers.includes('X-Stella-Tenant'), 'the tenant');
			assert.ok(operation.responses['401'] && operation.responses['403'], '401 and 403');
			assert.equal(operation.security?.some((way) => Object.keys(way).length === 0) ?? false, route.signedUrl, 'without a token by link only');
		}
		const types = Object.keys(operation.requestBody?.content ?? {});
		assert.deepEqual(types, { none: [], json: ['application/json'], events: ['application/json', 'application/x-ndjson'], bytes: ['*/*'] }[route.body], 'body');
		if (route.body !== 'none') assert.ok(operation.responses['413'] , '413');
		if (route.paged && route.name !== 'exportFindings') assert.ok(resolve(operation.responses['200']).headers['Req-Cursor'], 'a cursor');
	});
}

test('no object lets an unknown member through, but those that say so', () => {
	const open = Object.entries(openapi.components.schemas)
		.filter(([, schema]) => schema.type === 'object' && schema.additionalProperties !== false).map(([name]) => name);
	assert.deepEqual(open, []);
});

test('every example is what its schema says', () => {
	let count = 0;
	const visit = (node, pointer) => {
		if (node === null || typeof node !== 'object') return;
		if (node.schema && node.examples) {
			for (const example of Object.values(node.examples)) {
				assert.deepEqual(complaints(`${pointer}/schema`, resolve(example).value), [], pointer);
				count++;
			}
		}
		if (pointer.endsWith('/examples')) return;
		for (const [name, child] of Object.entries(node)) visit(child, `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`);
	};
	visit(openapi, '');
	assert.ok(count > 10, `${count} examples`);
});

test('it is served byte by byte as it stands', async () => {
	const answer = await request(`${gateway.url}/openapi.yaml`);
	assert.equal(answer.status, 200);
	assert.match(answer.headers['content-type'], /^application\/yaml/);
	assert.ok(answer.bytes.equals(readFileSync(`${root}/gateway/openapi.yaml`)), 'the same bytes');
});

// The judge of the other files' answers must be able to refuse.
test('an answer that is not documented is noticed', () => {
	const good = { status: 200, headers: { 'content-type': 'application/json' }, text: '{"chains":[]}', bytes: Buffer.from('{"chains":[]}') };
	const of = (over) => answerComplaints('GET', '/v1/ledger/chains', { ...good, ...over });
	assert.deepEqual(of({}), []);
	assert.match(of({ status: 299 }).join(), /status 299 is not documented/);
	assert.match(of({ text: '{"chains":[],"more":1}' }).join(), /must NOT have additional properties/);
	assert.match(of({ text: '{}' }).join(), /must have required property/);
	assert.match(of({ text: '{' }).join(), /no JSON/);
	assert.match(of({ headers: { 'content-type': 'text/html' } }).join(), /text\/html is not documented/);
	assert.match(of({ headers: { ...good.headers, 'x-powered-by': 'c' } }).join(), /x-powered-by is not documented/);
	assert.match(of({ headers: { ...good.headers, etag: 'weak' } }).join(), /ETag/);
	assert.match(answerComplaints('GET', '/nowhere', good).join(), /no operation/);
	assert.equal(findPath('/v1/ledger/chains/x/tile/0/x001/067'), '/v1/ledger/chains/{chainId}/tile/{tile}');
	assert.equal(findPath('/v1/ledger/events:batch'), '/v1/ledger/events:batch');
});
