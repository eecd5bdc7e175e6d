// TAP: one test for many comparisons, with the first differences below it.

let tests = 0;
let failed = false;

const show = (value) => (typeof value === 'string' ? value : JSON.stringify(value) ?? String(value)).slice(0, 300);

export function ok(passed, name, ...notes) {
	failed ||= !passed;
	console.log(`${passed ? 'ok' : 'not ok'} ${++tests} - ${name}`);
	if (!passed) for (const note of notes) console.log(`#   ${note}`.replaceAll('\n', '\n#   '));
}

// Are two lists equal, item by item?  what(i) tells what item i is about.
export function same(got, want, name, what = () => '') {
	const wrong = want.map((value, i) => i).filter((i) => got[i] !== want[i]);
	const passed = want.length > 0 && got.length === want.length && wrong.length === 0;
	ok(passed, `${name} (${want.length})`, `${got.length} of ${want.length}, ${wrong.length} differ`,
		...wrong.slice(0, 3).map((i) => `item ${i}: ${show(what(i))}\n got      ${show(got[i])}\n expected ${show(want[i])}`));
}

export function done() {
	console.log(`1..${tests}`);
	process.exitCode = failed ? 1 : 0;
}
