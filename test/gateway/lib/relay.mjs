// A port in front of the database that a test can close: relay(port) listens there and hands
// on to the cluster; close() ends it and every connection.
import { connect, createServer } from 'node:net';
import { database } from './cluster.mjs';

export async function relay(port = 0) {
	const sockets = new Set();
	const server = createServer((client) => {
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
		close: () => new Promise((done) => { server.close(done); for (const socket of sockets) socket.destroy(); }),
	};
}
