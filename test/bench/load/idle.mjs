// Opens COUNT keep-alive connections, asks once over each, says "ready", and keeps them
// until its standard input ends.
// usage: idle.mjs URL COUNT
import { connect } from 'node:net';

const [url, count] = process.argv.slice(2);
const { hostname, port } = new URL(url);
const sockets = [];

function open() {
	return new Promise((resolve, reject) => {
		const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(`GET /health/live HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`));
		socket.once('data', resolve);
		socket.once('error', reject);
		sockets.push(socket);
	});
}

for (let left = Number(count); left > 0; left -= 50) await Promise.all(Array.from({ length: Math.min(left, 50) }, open));
let closed = 0;
for (const socket of sockets) socket.on('close', () => { closed++; });
console.log('ready');
process.stdin.resume();
process.stdin.on('end', () => {
	if (closed > 0) console.error(`${closed} of ${sockets.length} connections were closed`);
	process.exit(closed > 0 ? 1 : 0);
});
