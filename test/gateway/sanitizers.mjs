// What a sanitizer says fails a test, also if every answer was right: shown with small programs
// that start and end as the gateway does, and do one thing wrong on their way.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { file, runProgram, startGateway, work } from './lib/gateway.mjs';

const source = file('wrong.c', `
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static int shared;

static void *write_it(void *arg)
{
	shared++;
	return arg;
}

/* The wrong thing; what it gives is not looked at. */
static int wrong(int argc)
{
	volatile char *one = malloc(1);
	pthread_t thread;
	int got = 0;

	*one = 0;
	if (WRONG == 1)
		got = one[argc];
	else if (WRONG == 2)
		got = 2147483647 + argc;
	else if (WRONG == 3 && pthread_create(&thread, NULL, write_it, NULL) == 0)
	{
		shared++;
		pthread_join(thread, NULL);
	}
	free((void *) one);
	return got;
}

int main(int argc, char **argv)
{
	volatile int sink;
	sigset_t end;
	int signal;

	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	sigprocmask(SIG_BLOCK, &end, NULL);
	sink = wrong(argc > 0);
	printf("{\\"message\\":\\"Ledger started\\",\\"listen\\":\\"http://127.0.0.1:1\\",\\"admin\\":\\"http://127.0.0.1:1\\"}\\n");
	fflush(stdout);
	if (argc == 1)
		sigwait(&end, &signal);
	return 0;
}
`);

const build = (name, flags, wrong) => {
	const path = join(work, name);
	execFileSync('clang', ['-O1', '-g', ...flags, `-DWRONG=${wrong}`, '-o', path, source, '-lpthread']);
	return path;
};

// None of these ends the program, or changes its status.
const env = { ASAN_OPTIONS: 'halt_on_error=0:detect_leaks=0', UBSAN_OPTIONS: '', TSAN_OPTIONS: 'exitcode=0' };

for (const [what, flags, wrong, said] of [
	['a byte read behind the end', ['-fsanitize=address', '-fsanitize-recover=address'], 1, /ERROR: AddressSanitizer: heap-buffer-overflow/],
	['an integer that overflows', ['-fsanitize=undefined'], 2, /runtime error: signed integer overflow/],
	['a race', ['-fsanitize=thread'], 3, /WARNING: ThreadSanitizer: data race/],
])
	test(`${what} fails the test, though the program did its work and ended well`, async () => {
		const program = build(what.replaceAll(' ', '-'), flags, wrong);
		const gateway = await startGateway({ program, env });
		await assert.rejects(gateway.stop(), said);
		assert.deepEqual(gateway.end, { code: 0, signal: null });
		const killed = await startGateway({ program, env });
		await assert.rejects(killed.kill(), said);
		await assert.rejects(runProgram(['--once'], { program, env }), said);
	});

test('a program that does nothing wrong passes', async () => {
	for (const flags of ['-fsanitize=address', '-fsanitize=undefined', '-fsanitize=thread']) {
		const program = build(`right${flags}`, [flags], 0);
		await (await startGateway({ program, env })).stop();
		assert.equal((await runProgram(['--once'], { program, env })).code, 0);
	}
});
