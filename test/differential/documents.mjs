// Random JSON documents as text: every kind of value, deep and wide, names and
// strings from all of Unicode, and for each of them one of the many spellings
// that JSON allows.  No name stands twice in an object.
import { randomNumber, spell } from './numbers.mjs';

// Ranges of characters, those around the surrogates and at the ends of UTF-8's
// lengths among them.  U+0000 and surrogates are not stored by PostgreSQL.
const ranges = [[0x61, 0x7a], [0x61, 0x7a], [0x41, 0x5a], [0x30, 0x39], [0x20, 0x7e], [0x01, 0x1f], [0x7f, 0xa0],
	[0x7fe, 0x801], [0x300, 0x30f], [0x2026, 0x202a], [0x4e00, 0x4e20], [0xd7f0, 0xd7ff], [0xe000, 0xe010], [0xf8f0, 0xfb33],
	[0xfef0, 0xffff], [0x10000, 0x10010], [0x1f600, 0x1f640], [0x2f800, 0x2f810], [0x10fff0, 0x10ffff]];

function character(dice) {
	const [low, high] = dice.pick(ranges);
	return String.fromCodePoint(low + dice.below(high - low + 1));
}

export function randomString(dice, longest = 12) {
	return dice.several(0, dice.once(60) ? 40 * longest : longest, () => character(dice)).join('');
}

const short = { '"': '\\"', '\\': '\\\\', '/': '\\/', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function hex(dice, unit) {
	const digits = unit.toString(16).padStart(4, '0');
	return '\\u' + (dice.once(2) ? digits : digits.toUpperCase());
}

// A string literal: what must be escaped, and some of what may be.
function spellString(dice, s) {
	const spelt = Array.from(s, (c) => {
		const must = c < ' ' || c === '"' || c === '\\';
		if (short[c] && (must ? !dice.once(3) : dice.once(4))) return short[c];
		if (must || dice.once(12)) return Array.from({ length: c.length }, (_, i) => hex(dice, c.charCodeAt(i))).join('');
		return c;
	});
	return '"' + spelt.join('') + '"';
}

const space = (dice) => dice.once(4) ? dice.several(0, 3, () => dice.pick([' ', '\t', '\n', '\r'])).join('') : '';

// Names that differ late, or in case, or only in how they are composed.
const names = ['a', 'A', 'aa', 'aaaaaaaaaaaaaaaa', 'aaaaaaaaaaaaaaab', 'é', 'e\u0301', '\u{1F600}', '\uFB33', '\uE000', '\u{10FFFF}',
	'\uFFFF', '', '1', '10', '2', '-1', '__proto__', 'constructor', 'toString', 'length', '\u2028', '"', '\\', '/', '\n', '\u007f'];

function randomObject(dice, depth) {
	const size = dice.once(50) ? 40 + dice.below(100) : dice.below(8);
	const keys = new Set(dice.several(0, size, () => dice.once(3) ? dice.pick(names) : randomString(dice, 5)));
	const members = Array.from(keys, (key) => space(dice) + spellString(dice, key) + space(dice) + ':' + randomValue(dice, depth - 1));
	return '{' + (members.join(',') || space(dice)) + '}';
}

function randomValue(dice, depth) {
	const kind = dice.below(depth > 0 ? 10 : 6);
	const value = kind < 2 ? spell(dice, randomNumber(dice))
		: kind < 4 ? spellString(dice, randomString(dice))
			: kind === 4 ? dice.pick(['true', 'false'])
				: kind === 5 ? 'null'
					: kind < 9 ? randomObject(dice, depth)
						: '[' + (dice.several(0, 6, () => randomValue(dice, depth - 1)).join(',') || space(dice)) + ']';
	return space(dice) + value + space(dice);
}

// Levels upon levels, with something to put in order on each.
function deepDocument(dice) {
	const levels = 20 + dice.below(200);
	const opened = dice.several(levels, levels, () => dice.once(2) ? ['[1,', ',2]'] : ['{"b":1,"a":', ',"\u{1F600}":2,"\uFB33":3}']);
	return opened.map(([open]) => open).join('') + randomValue(dice, 1) + opened.reverse().map(([, close]) => close).join('');
}

export function randomDocument(dice) {
	return dice.once(100) ? deepDocument(dice) : randomValue(dice, 1 + dice.below(6));
}

// A payload has to be an object.
export function randomPayload(dice) {
	return randomObject(dice, 1 + dice.below(4));
}

// One of the objects gets a name twice, however it is spelt, beside what it holds.
function repeatName(dice, text) {
	const places = Array.from(text.matchAll(/\{\s*(?=["}])/g));
	if (places.length === 0) return '{"":1,"":2}';
	const place = dice.pick(places);
	const end = place.index + place[0].length;
	const more = text[end] === '}' ? '' : ',';
	return text.slice(0, end) + dice.pick(['"n":1,"n":2', '"n":1,"\\u006e":1', '"n":1,"m":{},"n":2']) + more + text.slice(end);
}

// A document with a byte or a piece of it lost, doubled, changed or put in.
export function damage(dice, text) {
	const bytes = Buffer.from(text);
	const at = dice.below(bytes.length + 1);
	const end = Math.min(bytes.length, at + 1 + dice.below(dice.once(3) ? 8 : 1));
	const put = (piece) => Buffer.concat([bytes.subarray(0, at), Buffer.from(piece), bytes.subarray(at)]);
	switch (dice.below(8)) {
		case 6:
		case 7: return Buffer.from(repeatName(dice, text));
		case 0: return Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]);
		case 1: return Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]);
		case 2: return bytes.subarray(0, at);
		case 3: return put(dice.pick(['"', '\\', ',', ':', '{', '}', '[', ']', '0', '-', '.', 'e', ' ', '\ufeff', '\\u0000', '\\ud800',
			'\\udc00', '\\x', '\u0001', '//', 'NaN', ',"a":1', '1234567890123456789', 'null', '\u00a0']));
		case 4: return put([dice.pick([0x80, 0xbf, 0xc0, 0xc3, 0xe2, 0xed, 0xf0, 0xf5, 0xff])]);
		default: {
			const changed = Buffer.from(bytes);
			if (at < changed.length) changed[at] = 1 + dice.below(255);
			return changed;
		}
	}
}
