// gateway/openapi.yaml as a judge of answers.
//
//     checkAnswer('GET', '/v1/ledger/events?limit=1', answer)   throws what the document does not say of it
//
// startGateway()'s api() asks it for every answer: a status, header or member that is not
// documented fails the test that saw it, whatever that test is about.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

export const documentText = readFileSync(fileURLToPath(new URL('../../../gateway/openapi.yaml', import.meta.url)), 'utf8');
export const openapi = parse(documentText);

const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);
ajv.addSchema({ $id: 'openapi', ...openapi });

export const resolve = (node) => (node?.$ref ? resolve(node.$ref.slice(2).split('/').reduce((at, step) => at[unescape(step)], openapi)) : node);
const unescape = (step) => step.replaceAll('~1', '/').replaceAll('~0', '~');
const escape = (step) => step.replaceAll('~', '~0').replaceAll('/', '~1');

// The complaints about a value, against the schema at a pointer into the document.
const compiled = new Map();
export function complaints(pointer, value) {
	if (!compiled.has(pointer)) compiled.set(pointer, ajv.compile({ $ref: `openapi#${pointer}` }));
	const validate = compiled.get(pointer);
	return validate(value) ? [] : validate.errors.map((e) => `${e.instancePath || 'it'} ${e.message} ${JSON.stringify(e.params)}`);
}

// Where a node stands: its own place, or that of what it refers to.
const place = (node, pointer) => (node?.$ref ? place(node.$ref.slice(1).split('/').slice(1).reduce((at, step) => at[unescape(step)], openapi), node.$ref.slice(1)) : pointer);

export const methods = ['get', 'put', 'post', 'delete', 'patch', 'options'];
const templates = Object.keys(openapi.paths).map((template) => ({
	template,
	pattern: new RegExp(`^${template.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replaceAll('{tile}', '.+').replace(/\{[^}]+\}/g, '[^/]+')}$`),
	variables: template.split('{').length,
})).sort((a, b) => a.variables - b.variables);

// Escapes of characters that need none are the characters (RFC 3986 section 6.2.2.2).
const plain = (path) => path.split('?')[0].replace(/%([0-9A-Fa-f]{2})/g, (text, hex) => {
	const character = String.fromCharCode(parseInt(hex, 16));
	return /[A-Za-z0-9._~-]/.test(character) ? character : text;
});
export const findPath = (path) => templates.find(({ pattern }) => pattern.test(plain(path)))?.template;

// What HTTP and the gateway as a whole send with any answer.
const general = new Set(['date', 'connection', 'keep-alive', 'content-length', 'content-type', 'content-encoding', 'transfer-encoding',
	'vary', 'x-request-id', 'x-content-type-options', 'content-security-policy', 'referrer-policy', 'cache-control', 'strict-transport-security',
	'server-timing']);
// Answers to what the document has no operation for.
const strangers = new Set([400, 404, 405, 406, 408, 413, 414, 417, 431, 501, 503]);

function bodyComplaints(pointer, response, answer) {
	const type = (answer.headers['content-type'] ?? '').split(';')[0].trim();
	if (!response.content) return answer.bytes.length > 0 ? [`a body of ${answer.bytes.length} bytes where none is documented`] : [];
	const media = [type, '*/*'].find((name) => response.content[name]);
	if (media === undefined) return [`Content-Type ${type || '(none)'} is not documented`];
	if (!/[/+]json$/.test(media)) return [];
	let value;
	try { value = JSON.parse(answer.text); } catch (error) { return [`the body is no JSON: ${error.message}`]; }
	return complaints(`${pointer}/content/${escape(media)}/schema`, value);
}

function headerComplaints(pointer, response, answer) {
	const documented = new Map(Object.entries(response.headers ?? {}).map(([name, node]) => [name.toLowerCase(), { name, node }]));
	const wrong = [];
	for (const [lower, { name, node }] of documented) {
		const value = answer.headers[lower];
		if (value === undefined) {
			if (resolve(node).required) wrong.push(`header ${name} is missing`);
		} else {
			wrong.push(...complaints(`${place(node, `${pointer}/headers/${escape(name)}`)}/schema`, value).map((text) => `header ${name}: ${text}`));
		}
	}
	for (const name of Object.keys(answer.headers)) {
		if (!documented.has(name) && !general.has(name)) wrong.push(`header ${name} is not documented`);
	}
	return wrong;
}

function strangerComplaints(answer) {
	if (!strangers.has(answer.status)) return [`status ${answer.status} where the document has no operation`];
	if (answer.bytes.length === 0) return [];
	return complaints('/components/schemas/Problem', JSON.parse(answer.text));
}

export function answerComplaints(method, path, answer) {
	const template = findPath(path);
	const verb = method === 'HEAD' ? 'get' : method.toLowerCase();
	const operation = openapi.paths[template]?.[verb];
	if (!operation) return strangerComplaints(answer);
	const node = operation.responses[answer.status];
	if (!node) return [`status ${answer.status} is not documented for ${operation.operationId}: ${answer.text.slice(0, 300)}`];
	const pointer = place(node, `/paths/${escape(template)}/${verb}/responses/${answer.status}`);
	const response = resolve(node);
	return [...headerComplaints(pointer, response, answer), ...(method === 'HEAD' ? [] : bodyComplaints(pointer, response, answer))];
}

export function checkAnswer(method, path, answer) {
	const wrong = answerComplaints(method, path, answer);
	if (wrong.length > 0) throw new Error(`${method} ${path} answered ${answer.status}, and openapi.yaml does not say so:\n  ${wrong.join('\n  ')}`);
	return answer;
}
