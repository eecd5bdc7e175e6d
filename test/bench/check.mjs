// Reads what test/bench/run.sh printed and says in TAP whether the figures are
// figures: one valid JSON line each, complete, and none quadratic.
//
// usage: check.mjs FILE NAME...     the names of the benchmarks that were run
import { readFileSync } from 'node:fs';

const members = { name: 'string', ours: 'number', baseline: 'number', ratio: 'number', target: 'string', unit: 'string', size: 'string' };
// What grows with size shows a ratio of sizes; at tiny sizes only noise is left.
const growth = /^(append-(linear|after-abort$)|proof|anchor-incremental)/;
const growthLimit = 3;

let number = 0;
function ok(passed, name, why) {
	console.log(`${passed ? 'ok' : 'not ok'} ${++number} - ${name}`);
	if (!passed) console.log(`#   ${why}`);
}

// Why a line is no figure, or undefined.
export function fault(line) {
	let figure;
	try {
		figure = JSON.parse(line);
	} catch (error) {
		return error.message;
	}
	for (const [member, type] of Object.entries(members))
		if (typeof figure[member] !== type) return `${member} is ${JSON.stringify(figure[member])}`;
	if (Object.keys(figure).length !== Object.keys(members).length) return 'it has members of no meaning';
	if (!(figure.ours > 0 && figure.baseline > 0)) return 'it measures nothing';
	if (Math.abs(figure.ratio - figure.ours / figure.baseline) > 0.001 + 0.001 * figure.ratio) return 'ratio is not ours / baseline';
	if (growth.test(figure.name) && figure.ratio > growthLimit) return `grows ${figure.ratio} times: is something quadratic?`;
}

function checkTheCheck() {
	const good = { name: 'append-linear-x', ours: 2, baseline: 1, ratio: 2, target: '<= 1.3', unit: 'us', size: 'tiny' };
	const bad = [{ ratio: 1 }, { ours: 0, ratio: 0 }, { ours: 4, ratio: 4 }, { target: null }, { more: 1 }];
	ok(fault(JSON.stringify(good)) === undefined, 'a good figure passes', fault(JSON.stringify(good)));
	for (const change of bad)
		ok(fault(JSON.stringify({ ...good, ...change })) !== undefined, `a figure with ${JSON.stringify(change)} is refused`, 'it passed');
	ok(fault('{"name": "x", "ratio": -nan}') !== undefined, 'what is no JSON is refused', 'it passed');
}

const [file, ...names] = process.argv.slice(2);
const lines = readFileSync(file, 'utf8').split('\n').filter((line) => line.startsWith('{'));
checkTheCheck();
for (const line of lines)
	ok(fault(line) === undefined, `figure ${/"name": "([^"]*)"/.exec(line)?.[1] ?? line}`, `${fault(line)}: ${line}`);
for (const name of names)
	ok(lines.some((line) => line.startsWith(`{"name": "${name}`)), `${name} gives a figure`, 'there is none');
