// Writes formulas.txt with each formula's hash in its place: cases.txt.
// With --check it only says whether cases.txt is that.
//
// It knows how a leaf and a node are hashed, and nothing of trees: their shapes
// stand in the formulas.

import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

const here = (name) => new URL(name, import.meta.url);
const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();

const leaves = [];

// The formula that starts at words[0], taken off the list.
function hashOf(words) {
	const word = words.shift();
	if (word !== '(') return leaves[Number(word)];
	const parts = [];
	while (words[0] !== ')') parts.push(hashOf(words));
	words.shift();
	if (parts.length === 0) return sha256();
	if (parts.length !== 2) throw new Error(`a node over ${parts.length} parts`);
	return sha256(Buffer.of(1), ...parts);
}

function cases(line) {
	const [kind, first, ...rest] = line.match(/[()]|[^()\s]+/g);
	if (kind === 'leaf') {
		leaves[Number(first)] = sha256(Buffer.of(0), Buffer.from(rest[0].replace('-', ''), 'hex'));
		return [kind, first, rest[0], leaves[Number(first)].toString('hex')];
	}
	const numbers = kind === 'root' ? [first] : [first, rest.shift()];
	const hashes = [];
	while (rest.length > 0) hashes.push(hashOf(rest).toString('hex'));
	return [kind, ...numbers, ...hashes];
}

const text = readFileSync(here('formulas.txt'), 'utf8').split('\n')
	.filter((line) => line !== '' && !line.startsWith('#'))
	.map((line) => cases(line).join(' ') + '\n').join('');

if (!process.argv.includes('--check')) writeFileSync(here('cases.txt'), text);
else if (readFileSync(here('cases.txt'), 'utf8') !== text) {
	console.log('cases.txt is not what hashes.mjs makes of formulas.txt');
	process.exitCode = 1;
}
