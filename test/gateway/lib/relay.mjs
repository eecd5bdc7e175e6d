// A port in front of the database that a test can close: relay(port) listens there and hands
// on to the cluster; silence() lets new connections wait for ever, as a network without
// answers would; close() ends it and every connection.
import { connect, createServer } from 'node:net';
import { database } from './cluster.mjs';

export async function relay(port = 0) {
	const sockets = new Set();
	let silent = false;
	let unanswered = 0;
	const server = createServer((client) => {
		if (silent) {
			unanswered++;
			sockets.add(client.on('error', () => {}));
			return;
		}
		const upstream = connect({ host: database.host, port: database.port });
		for (const socket of [client, upstream]) {
			sockets.add(socket);
			socket.on('error', () => {});
			socket.on('close', () => { sockets.delete(socket); client.destroy(); upstream.destroy(); });
		}
		client.pipe(upstream);
		upstream.pipe(client);
	});
	await new Promise((done, failed) => { server.once('error', failed); server.listen(port, '127.0.0.1', done); });
	return {
		port: server.address().port,
		silence: () => { silent = true; },
		unanswered: () => unanswered,
		close: () => new Promise((done) => { server.close(done); for (const socket of sockets) socket.destroy(); }),
	};
}
