// Repeatable chance: the same seed gives the same documents on every machine.

export class Dice {
	#state;

	constructor(seed) {
		this.#state = BigInt(seed) || 1n;
	}

	// 64 random bits (xorshift64*).
	bits() {
		let x = this.#state;
		x ^= x >> 12n;
		x = (x ^ (x << 25n)) & 0xffffffffffffffffn;
		x ^= x >> 27n;
		this.#state = x;
		return (x * 0x2545f4914f6cdd1dn) & 0xffffffffffffffffn;
	}

	// 0 to n - 1.
	below(n) {
		return Number(this.bits() % BigInt(n));
	}

	// True once in n times.
	once(n) {
		return this.below(n) === 0;
	}

	pick(list) {
		return list[this.below(list.length)];
	}

	// min to max calls of make.
	several(min, max, make) {
		return Array.from({ length: min + this.below(max - min + 1) }, (_, i) => make(i));
	}
}
