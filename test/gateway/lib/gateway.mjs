// The gateway under test: the real program, on ports that the system chose.
//
//     import { after, before, test } from 'node:test';
//     import { startGateway } from './lib/gateway.mjs';
//
//     let gateway;
//     before(async () => { gateway = await startGateway(); });
//     after(() => gateway.stop());
//
//     test('an event is stored', async () => {
//         const answer = await gateway.api('/v1/ledger/events', { method: 'POST', body: anEvent() });
//         assert.equal(answer.status, 201);
//     });
//
// startGateway({env, unset, args, program, started, authority})
//     env        settings over those of settings() below; unset: names to leave out
//     args       options of the program
//     program    another one than the suite's, which is that of GATEWAY_SANITIZER if that is set
//     started    false: do not wait for "Ledger started" (for starts that must fail: await gateway.exited)
//     authority  another one than the file's own
//
// gives {url, adminUrl, port, adminPort, pid, authority, stdout, stderr, log, exited, …}:
//     stdout     its lines as they came; log: the same, parsed;  stderr: text
//     line(match, {deadline})   the first log line that the function says yes to, or whose members equal the object's
//     api(path, {method, body, tenant, token, headers, …})   with a good token and X-Stella-Tenant unless told otherwise:
//                tenant: 'acme' by default; token: null for none, a string for that one, an object for authority.token();
//                headers: {'X-Stella-Tenant': undefined} leaves that one out.
//                The answer must be one that openapi.yaml tells of (lib/openapi.mjs), or this throws.
//     admin(path, options)      the same on the admin port, without a token
//     ready()    waits until /health/ready says 200
//     signal(name), stop({signal, code})   ends it and checks the exit status (0) and that no sanitizer complained
//     kill()     ends it hard; throws if a sanitizer complained before
//     rss(), fds()              what the process holds now: bytes, open descriptors
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { after } from 'node:test';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { audience, Authority, issuer } from './authority.mjs';
import { dsn, root } from './cluster.mjs';
import { request } from './http.mjs';
import { checkAnswer } from './openapi.mjs';
import { waitFor } from './wait.mjs';

export * from './authority.mjs';
export * from './cluster.mjs';
export * from './http.mjs';
export * from './wait.mjs';

// A place for files of this test file; gone when it ends.
export const work = mkdtempSync(join(process.env.GATEWAY_TEST_DIR || tmpdir(), 'ledger-gateway-'));
const running = new Set();
const killAll = () => { for (const child of running) child.kill('SIGKILL'); };
// A test that failed may leave one running, which would keep this file from ending.  This runs
// before the file's own hooks, so it ends them as stop() does, which then only judges.
after(() => Promise.all([...running].map((child) => new Promise((resolve) => {
	const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
	child.once('close', () => { clearTimeout(timer); resolve(); });
	child.kill('SIGTERM');
}))));
process.on('exit', () => {
	killAll();
	rmSync(work, { recursive: true, force: true });
});

// A file below it, written; its path.
export function file(name, text, mode = 0o600) {
	const path = join(work, name);
	writeFileSync(path, typeof text === 'object' && !Buffer.isBuffer(text) ? JSON.stringify(text) : text, { mode });
	return path;
}

export const key32 = (byte) => Buffer.alloc(32, byte).toString('base64');

// One authority a file, made when first needed.
let shared;
export const theAuthority = () => (shared ??= new Authority());

export function settings(authority = theAuthority()) {
	return {
		LEDGER__HTTP__LISTEN: 'http://127.0.0.1:0',
		LEDGER__HTTP__ADMINLISTEN: 'http://127.0.0.1:0',
		LEDGER__HTTP__CURSORKEY: key32(1),
		LEDGER__DB__CONNECTIONSTRING: dsn,
		LEDGER__AUTH__JWKS: file(`jwks-${authority.id ??= Math.random().toString(36).slice(2)}.json`, authority.jwks()),
		LEDGER__AUTH__ISSUER: issuer,
		LEDGER__AUTH__AUDIENCE: audience,
		LEDGER__ATTACHMENTS__ENCRYPTIONKEY: key32(2),
		LEDGER__OBSERVABILITY__REFRESH: '200ms',
		// Off unless a test is about them: nothing is anchored, so a backlog would grow.
		LEDGER__QUOTA__BACKLOG: '0',
		LEDGER__TICKS__ENABLED: 'false',
		LEDGER__TICKS__LEDGERCTL: `${root}/gateway/bin/ledgerctl`,
	};
}

// The build under test: plain, or in build/gateway-SANITIZER (test/suites/46-gateway.sh makes both).
export const sanitizer = process.env.GATEWAY_SANITIZER;
export const program = `${root}/${sanitizer ? `build/gateway-${sanitizer}` : 'gateway/bin'}/ledger-gateway`;

// What a program needs whatever it is; no LEDGER__ of the caller's own reaches it.
export const bareEnvironment = () => ({
	PATH: process.env.PATH, HOME: process.env.HOME ?? '/',
	ASAN_OPTIONS: 'detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1', UBSAN_OPTIONS: 'print_stacktrace=1',
	TSAN_OPTIONS: `suppressions=${root}/test/gateway/lib/tsan.supp:second_deadlock_stack=1:die_after_fork=0`,
});

// What sanitizers said, of programs whose test did not ask for it: whatever they answered, this file fails.
const complaints = new Map();
after(() => {
	const all = [...complaints.values()];
	assert.deepEqual(all, [], 'a sanitizer complained');
});

// Called when a program has ended.
export function noteComplaint(child, stderr) {
	if (/(ERROR|WARNING): (Address|Leak|Thread)Sanitizer|runtime error:/.test(stderr)) complaints.set(child, stderr);
}

function throwComplaint(child) {
	const complaint = complaints.get(child);
	complaints.delete(child);
	if (complaint) throw new Error(`a sanitizer complained:\n${complaint}`);
}

export async function startGateway({ env = {}, unset = [], args = [], program: path = program, started = true, authority = theAuthority() } = {}) {
	const environment = { ...bareEnvironment(), ...settings(authority), ...env };
	for (const name of unset) delete environment[name];
	const child = spawn(path, args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
	running.add(child);
	const gateway = new Gateway(child, authority);
	if (started) await gateway.started().catch(async (error) => { await gateway.kill(); throw error; });
	return gateway;
}

// The program run to its end, for --check-config and the like: {code, stdout, stderr}.
export async function runProgram(args, { env = {}, program: path = program } = {}) {
	const child = spawn(path, args, { env: { ...bareEnvironment(), ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
	running.add(child);
	const result = { stdout: '', stderr: '' };
	child.stdout.on('data', (chunk) => { result.stdout += chunk; });
	child.stderr.on('data', (chunk) => { result.stderr += chunk; });
	await new Promise((resolve, reject) => {
		child.on('error', reject);
		child.on('close', (code, signal) => { running.delete(child); Object.assign(result, { code, signal }); resolve(); });
	});
	noteComplaint(child, result.stderr);
	throwComplaint(child);
	return result;
}

class Gateway {
	stdout = [];
	log = [];
	stderr = '';
	#rest = '';

	constructor(child, authority) {
		this.child = child;
		this.pid = child.pid;
		this.authority = authority;
		child.stdout.setEncoding('utf8').on('data', (chunk) => this.#take(chunk));
		child.stderr.setEncoding('utf8').on('data', (chunk) => { this.stderr += chunk; });
		this.exited = new Promise((resolve) => {
			child.on('close', (code, signal) => {
				running.delete(child);
				noteComplaint(child, this.stderr);
				resolve(this.end = { code, signal });
			});
		});
	}

	#take(chunk) {
		const lines = (this.#rest + chunk).split('\n');
		this.#rest = lines.pop();
		for (const line of lines) {
			this.stdout.push(line);
			try { this.log.push(JSON.parse(line)); } catch { this.log.push({ unparsed: line }); }
		}
	}

	async started() {
		const line = await this.line((l) => /Ledger started/.test(l.message), { deadline: 60_000 });
		[this.url] = line.listen.split(';');
		[this.adminUrl] = line.admin.split(';');
		this.port = Number(new URL(this.url || 'http://x:0').port);
		this.adminPort = Number(new URL(this.adminUrl || 'http://x:0').port);
	}

	// Until /health/ready says 200: the database was seen.
	ready({ deadline = 60_000 } = {}) {
		return waitFor(async () => (await this.admin('/health/ready')).status === 200, { deadline, what: 'readiness' });
	}

	line(match, { deadline = 60_000 } = {}) {
		const fits = typeof match === 'function' ? match : (line) => Object.entries(match).every(([name, value]) => line[name] === value);
		return waitFor(() => this.log.find((line) => fits(line)) ?? (this.end && 'ended'), { deadline, what: `a line of the log like ${JSON.stringify(match) ?? match}` })
			.then((found) => {
				if (found === 'ended') throw new Error(`the gateway ended with ${JSON.stringify(this.end)}: ${this.stderr}${this.stdout.slice(-5).join('\n')}`);
				return found;
			});
	}

	api(path, { tenant = 'acme', token, headers = {}, ...options } = {}) {
		const sent = {};
		if (token === undefined) token = this.#goodToken(tenant);
		else if (token !== null && typeof token === 'object') token = this.authority.token({ tenant, ...token });
		if (token !== null) sent.Authorization = `Bearer ${token}`;
		if (tenant !== null) sent['X-Stella-Tenant'] = tenant;
		Object.assign(sent, headers);
		for (const [name, value] of Object.entries(sent)) if (value === undefined) delete sent[name];
		return request(this.url + path, { headers: sent, ...options }).then((answer) => checkAnswer(options.method ?? 'GET', path, answer));
	}

	// One a tenant, renewed each minute: a test is not about signing.
	#tokens = new Map();
	#goodToken(tenant) {
		const known = this.#tokens.get(tenant);
		if (known && known.until > Date.now()) return known.token;
		const token = this.authority.token({ tenant: tenant ?? 'acme' });
		this.#tokens.set(tenant, { token, until: Date.now() + 60_000 });
		return token;
	}

	admin(path, options) {
		return request(this.adminUrl + path, options);
	}

	signal(name) {
		this.child.kill(name);
	}

	async stop({ signal = 'SIGTERM', code = 0 } = {}) {
		if (!this.end) this.signal(signal);
		const timer = setTimeout(() => this.signal('SIGKILL'), 60_000);
		const end = await this.exited;
		clearTimeout(timer);
		throwComplaint(this.child);
		if (end.code !== code) throw new Error(`the gateway ended with ${JSON.stringify(end)}, not status ${code}: ${this.stderr}`);
		return end;
	}

	async kill() {
		this.signal('SIGKILL');
		const end = await this.exited;
		throwComplaint(this.child);
		return end;
	}

	rss() {
		return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))[1]) * 1024;
	}

	fds() {
		return readdirSync(`/proc/${this.pid}/fd`).length;
	}
}

// An event as POST /v1/ledger/events takes it, of a finding that nobody else uses.
let events = 0;
export function anEvent(over = {}) {
	events++;
	return {
		type: 'finding.comment_added', findingId: `finding-${process.pid}-${events}`, artifactId: 'pkg:generic/test',
		policyVersion: 'policy-1', payload: { comment: `comment ${events}` }, ...over,
	};
}
