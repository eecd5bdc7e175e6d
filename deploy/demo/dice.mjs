// Chance that comes out the same on every machine: each draw is SHA-256 of the
// key and a counter, so two runs of the demo make the very same events.
import { createHash } from 'node:crypto';

export class Dice {
  #key;
  #drawn = 0;

  constructor(key) {
    this.#key = key;
  }

  // A number from 0 up to, but not including, 1.
  fraction() {
    const digest = createHash('sha256').update(`${this.#key}\n${this.#drawn++}`).digest();
    return digest.readUInt32BE(0) / 2 ** 32;
  }

  // True with the given probability.
  chance(probability) {
    return this.fraction() < probability;
  }

  // A whole number from low to high, both included.
  between(low, high) {
    return low + Math.floor(this.fraction() * (high - low + 1));
  }

  pick(list) {
    return list[Math.floor(this.fraction() * list.length)];
  }
}

// The first 16 bytes of SHA-256 as a UUID of version 8 (RFC 9562: "custom").
export function uuidOf(text) {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16);
  bytes[6] = (bytes[6] & 0x0f) | 0x80;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

export function sha256Hex(text) {
  return createHash('sha256').update(text).digest('hex');
}
