// The names that a program asks for, answered by the test, when it says so:
//
//     const names = await resolver();
//     startGateway({ env: names.env })         its getaddrinfo() asks here (resolver.c, preloaded)
//     names.set('db.test', '127.0.0.1')        from now on; several addresses: several arguments, none: there is no such name
//     names.hang()                             questions wait, as if no name server answered; (false): they are answered now
//     names.waiting('db.test')                 how many questions for it wait
//     names.asked('db.test')                   how many there were
//     names.close()
//
// Addresses and localhost go to the system's.
import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from './cluster.mjs';
import { bareEnvironment, work } from './gateway.mjs';

export async function resolver() {
	const library = join(work, 'resolver.so');
	const socket = join(work, 'resolver');
	await promisify(execFile)('cc', ['-shared', '-fPIC', '-Wall', '-Werror', '-o', library, `${root}/test/gateway/lib/resolver.c`]);
	const addresses = new Map();
	const counts = new Map();
	const waiting = new Set();
	const links = new Set();
	let hanging = false;

	const answer = ({ name, client }) => client.end(`${(addresses.get(name) ?? []).join(' ')}\n`);
	const server = createServer({ allowHalfOpen: true }, (client) => {
		links.add(client);
		let question;
		client.on('error', () => {}).on('close', () => { links.delete(client); waiting.delete(question); });
		client.once('data', (bytes) => {
			question = { name: bytes.toString().trimEnd(), client };
			counts.set(question.name, (counts.get(question.name) ?? 0) + 1);
			if (hanging) waiting.add(question);
			else answer(question);
		});
	});
	await new Promise((done, failed) => { server.once('error', failed); server.listen(socket, done); });
	return {
		// The sanitizer's own library would have to be the first.
		env: { LD_PRELOAD: library, RESOLVER_SOCKET: socket, ASAN_OPTIONS: `${bareEnvironment().ASAN_OPTIONS}:verify_asan_link_order=0` },
		set: (name, ...list) => { addresses.set(name, list); },
		hang: (on = true) => {
			hanging = on;
			if (!on) waiting.forEach(answer);
			if (!on) waiting.clear();
		},
		waiting: (name) => [...waiting].filter((question) => question.name === name).length,
		asked: (name) => counts.get(name) ?? 0,
		close: () => new Promise((done) => { server.close(done); links.forEach((client) => client.destroy()); }),
	};
}
