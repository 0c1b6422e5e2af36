// Counter-based randomness: a draw is a pure function of (seed, purpose, index), so order, batching and resuming never
// change which draw is used. The generator is Philox4x32-10 (Salmon et al., SC 2011).

/** One named stream of draws; every method is pure: the same arguments give the same result, in any order of calls. */
export interface Random {
  /** Uniform number in [0, 1) with 53 random bits. `index`: integer from 0 to 2^53 - 1. */
  uniform(index: number): number;
  /** Integer in [0, n), n from 1 to 2^32; the bias is below n / 2^53. */
  below(index: number, n: number): number;
  /** A uniformly shuffled copy (Fisher-Yates; uses draws 0 to length - 2 of this stream). */
  shuffle<T>(items: readonly T[]): T[];
  /** A seeded permutation of 0 to n - 1. */
  order(n: number): number[];
}

/**
 * Opens the stream named by `seed` and `purpose`.
 * @param seed integer from 0 to 2^53 - 1
 * @param purpose what the draws are for, for example `split` or `select/iter-3/q17`; other purpose, independent draws
 * @throws RangeError where the seed is not such an integer
 */
export function random(seed: number, purpose: string): Random {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new RangeError(`seed: ${seed}, wanted an integer from 0 to 2^53 - 1`);
  const [purposeLow, purposeHigh] = hashText(purpose);
  const seedLow = seed >>> 0;
  const seedHigh = Math.floor(seed / 2 ** 32);

  function uniform(index: number): number {
    const words = philox([index >>> 0, Math.floor(index / 2 ** 32), purposeLow, purposeHigh], [seedLow, seedHigh]);
    return ((words[0] >>> 5) * 2 ** 26 + (words[1] >>> 6)) / 2 ** 53;
  }
  function below(index: number, n: number): number {
    if (!(Number.isInteger(n) && n >= 1 && n <= 2 ** 32))
      throw new RangeError(`n: ${n}, wanted an integer from 1 to 2^32`);
    return Math.floor(uniform(index) * n);
  }
  function shuffle<T>(items: readonly T[]): T[] {
    const shuffled = items.slice();
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = below(shuffled.length - 1 - last, last + 1);
      const kept = shuffled[last] as T;
      shuffled[last] = shuffled[other] as T;
      shuffled[other] = kept;
    }
    return shuffled;
  }
  return { uniform, below, shuffle, order: (n) => shuffle(Array.from({ length: n }, (_, i) => i)) };
}

type Words4 = readonly [number, number, number, number];

/**
 * The Philox4x32-10 block function on unsigned 32-bit words, exactly as Random123 defines it.
 * @returns four unsigned 32-bit words
 */
export function philox(counter: Words4, key: readonly [number, number]): Words4 {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd2511f53, c0);
    const low0 = Math.imul(0xd2511f53, c0);
    const high1 = multiplyHigh(0xcd9e8d57, c2);
    const low1 = Math.imul(0xcd9e8d57, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1 >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0 >>> 0;
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** High 32 bits of the product of two unsigned 32-bit integers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = (middle & 0xffff) + aLow * bHigh;
  return (aHigh * bHigh + Math.floor(middle / 2 ** 16) + Math.floor(carry / 2 ** 16)) >>> 0;
}

/** 64 bits of a text: two FNV-1a passes over its UTF-16 units with different offsets, each finished by a mixer. */
function hashText(text: string): readonly [number, number] {
  let low = 0x811c9dc5;
  let high = 0x9e3779b9;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ unit, 0x85ebca6b);
    high = (high << 13) | (high >>> 19);
  }
  // The finaliser of MurmurHash3: every input bit moves every output bit.
  const mix = (word: number): number => {
    let h = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    return (h ^ (h >>> 16)) >>> 0;
  };
  return [mix(low), mix(high ^ text.length)];
}
