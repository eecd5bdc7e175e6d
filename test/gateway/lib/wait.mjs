// Waiting for what will come, instead of sleeping and hoping.  A minute for what takes a moment:
// a machine that does other work besides fails no test.

// Calls condition until it gives something true, which is returned; throws after the
// deadline, with the last error of the condition, if there was one.
export async function waitFor(condition, { deadline = 60_000, every = 20, what = 'a condition' } = {}) {
	const end = Date.now() + deadline;
	let failure;
	for (;;) {
		try {
			const value = await condition();
			if (value) return value;
			failure = undefined;
		} catch (error) {
			failure = error;
		}
		if (Date.now() > end) throw new Error(`waited ${deadline} ms in vain for ${what}`, { cause: failure });
		await pause(every);
	}
}

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));
