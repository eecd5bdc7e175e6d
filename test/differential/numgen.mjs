// The lines that test/unit/test_numbers.c hashes, from JavaScript's own
// Number.prototype.toString: the definition that RFC 8785 refers to.
//
// usage: node numgen.mjs [COUNT]	prints the SHA-256 of COUNT lines
import { createHash } from 'node:crypto';

const count = Number(process.argv[2] ?? 1_000_000);
const mask = (1n << 64n) - 1n;
const view = new DataView(new ArrayBuffer(8));
const hash = createHash('sha256');

let state = 88172645463325252n;
const next = () => {
	state ^= (state << 13n) & mask;
	state ^= state >> 7n;
	state ^= (state << 17n) & mask;
	return state;
};

// Random bits; around powers of two; subnormals; decimal fractions; integers.
const make = (i, r) => {
	switch (i % 8) {
		case 0: return ((r % 2047n) << 52n) + (r >> 40n) % 3n;
		case 1: return (((r % 2046n) + 1n) << 52n) - 1n - (r >> 40n) % 3n;
		case 2: return (r & 0xfffffffffffffn) >> ((r >> 52n) % 52n);
		case 3: view.setFloat64(0, Number(r & 0xffffffffn) / 1000); return view.getBigUint64(0);
		case 4: view.setFloat64(0, Number(r >> 11n)); return view.getBigUint64(0);
		case 5: view.setFloat64(0, Number(r & 0xffffffn) / 3); return view.getBigUint64(0);
		default: return r;
	}
};

for (let i = 0, lines = ''; i < count; i++) {
	view.setBigUint64(0, make(i, next()));
	const value = view.getFloat64(0);
	lines += (Number.isFinite(value) ? String(value === 0 ? 0 : value) : 'none') + '\n';
	if (i % 4096 === 4095 || i === count - 1) {
		hash.update(lines);
		lines = '';
	}
}
console.log(hash.digest('hex'));
