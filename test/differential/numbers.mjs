// Numbers that are hard to print, other spellings of them, and the rule which
// decimals the ledger takes: those whose value JavaScript's own text of their
// double keeps exactly.

const view = new DataView(new ArrayBuffer(8));

export const doubleOf = (bits) => {
	view.setBigUint64(0, bits);
	return view.getFloat64(0);
};

const bitsOf = (value) => {
	view.setFloat64(0, value);
	return view.getBigUint64(0);
};

// The bits of a double: random; around powers of two; subnormal; decimal
// fractions; integers, small and beyond 2^53; powers of ten and their neighbours.
export function randomBits(dice) {
	const r = dice.bits();
	switch (dice.below(9)) {
		case 0: return ((r % 2047n) << 52n) + (r >> 40n) % 3n;
		case 1: return (((r % 2046n) + 1n) << 52n) - 1n - (r >> 40n) % 3n;
		case 2: return (r & 0xfffffffffffffn) >> ((r >> 52n) % 52n);
		case 3: return bitsOf(Number(r & 0xffffffffn) / 1000);
		case 4: return bitsOf(Number(r >> 11n) * (r & 1n ? 1 : -1));
		case 5: return bitsOf(Number(r & 0xffffffn) / 3);
		case 6: return bitsOf(Number(r % 2001n) - 1000);
		case 7: return bitsOf(Number(`1e${Number(r % 616n) - 308}`)) + (r >> 40n) % 3n - 1n;
		default: return r;
	}
}

export function randomNumber(dice) {
	for (;;) {
		const value = doubleOf(randomBits(dice) & 0xffffffffffffffffn);
		if (Number.isFinite(value)) return value;
	}
}

// Sign, digits without zeros at either end, and the exponent of the last digit.
function decimal(text) {
	const [, sign, whole, fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
	const all = (whole + fraction).replace(/^0+/, '');
	const digits = all.replace(/0+$/, '');
	if (digits === '') return { sign: '', digits: '0', exponent: 0n };
	return { sign, digits, exponent: BigInt(exponent) - BigInt(fraction.length) + BigInt(all.length - digits.length) };
}

// The canonical text of a decimal, or null if a double rounds it or it is none.
export function canonicalNumber(text) {
	if (!/^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/.test(text)) return null;
	const value = Number(text);
	if (!Number.isFinite(value)) return null;
	const [given, kept] = [decimal(text), decimal(String(value))];
	const same = given.sign === kept.sign && given.digits === kept.digits && given.exponent === kept.exponent;
	return same ? JSON.stringify(value) : null;
}

// The same value, spelt in one of many ways that JSON allows.
export function spell(dice, value) {
	if (value === 0) return dice.pick(['0', '-0', '0.0', '0e5', '-0.00E-3', '0.000']);
	const { sign, digits, exponent } = decimal(String(value));
	const zeros = dice.below(12);
	const power = (n) => dice.pick(['e', 'E']) + (n < 0n ? '-' : dice.pick(['', '+'])) + dice.pick(['', '0', '00']) +
		(n < 0n ? -n : n);
	switch (dice.below(4)) {
		case 0:
			return String(value);
		case 1:         // no point, zeros behind the digits
			return sign + digits + '0'.repeat(zeros) + power(exponent - BigInt(zeros));
		case 2:         // the point behind the first digit
			return sign + digits[0] + '.' + digits.slice(1) + '0'.repeat(1 + zeros) + power(exponent + BigInt(digits.length - 1));
		default:        // zeros between the point and the digits
			return sign + '0.' + '0'.repeat(zeros) + digits + power(exponent + BigInt(digits.length + zeros));
	}
}

// A decimal that a double rounds as often as not: a double's text with a digit
// changed or added, or up to 40 digits of chance.
export function randomDecimal(dice) {
	const text = spell(dice, randomNumber(dice));
	switch (dice.below(4)) {
		case 0:
			return text;
		case 1:
			return text.replace(/\d(?=[eE]|$)/, (digit) => digit + dice.below(10));
		case 2:
			return text.replace(/\d(?=[eE]|$)/, () => dice.below(10));
		default:
			return dice.pick(['', '-']) + (1 + dice.below(9)) + dice.several(0, 40, () => dice.below(10)).join('') +
				dice.pick(['', '', `.${dice.below(1000)}`, `e${dice.below(700) - 350}`]);
	}
}
