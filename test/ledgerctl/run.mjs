// Running ledgerctl in a test, and saying what came of it.
import { spawnSync } from 'node:child_process';
import { ok } from '../differential/tap.mjs';
export { done, ok } from '../differential/tap.mjs';

export const program = process.env.LEDGERCTL;
export const GOOD = 0, USAGE = 1, FAILED = 3, NOT_FOUND = 4, OFFLINE = 5;

export function run(args, options = {}) {
	const { status, stdout, stderr } = spawnSync(options.program ?? program, args, { encoding: 'utf8', ...options });
	return { status, stdout, stderr };
}

// One test: the exit status, and what standard error (or for a good one standard
// output) says.  A sanitizer's report has a status of its own, and never passes.
export function expect(name, status, pattern, args, options = {}) {
	const got = run(args, options);
	const said = status === GOOD ? got.stdout : got.stderr;
	const prefixed = got.stderr.split('\n').every((line) => line === '' || line.startsWith('ledgerctl: '));
	ok(got.status === status && pattern.test(said) && prefixed, name,
		`ledgerctl ${args.join(' ')}`, `status ${got.status}, expected ${status}`, `expected ${pattern}`,
		`stdout: ${got.stdout}`, `stderr: ${got.stderr}`);
	return got;
}

// The same with --json, whose object is returned.
export function json(args, options = {}) {
	const got = run([...args, '--json'], options);
	try {
		return { ...JSON.parse(got.stdout), status: got.status };
	} catch {
		return { status: got.status, stdout: got.stdout };
	}
}
