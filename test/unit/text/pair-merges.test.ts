// Merging by rank on random tables and words, against the plain rule: look at all neighbours, merge the lowest rank, begin again.
import { describe, expect, test } from 'vitest';
import { MergeList, PairEncoder, type PairModel } from '../../../src/text/pair-merges.js';

/** A reproducible whole number below `below`. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

interface Table {
  readonly model: PairModel;
  readonly texts: readonly string[];
  /** In order of rank. */
  readonly pairs: readonly (readonly [number, number, number])[];
}

/** Single letters, and `count` merges of pieces made so far; the same piece may come about in several ways. */
function randomTable(seed: number, letters: string, count: number): Table {
  const next = dice(seed);
  const texts = [...letters];
  const pairs: [number, number, number][] = [];
  while (pairs.length < count) {
    const [left, right] = [next(texts.length), next(texts.length)];
    if (pairs.some(([a, b]) => a === left && b === right)) continue;
    const text = `${texts[left]}${texts[right]}`;
    const known = texts.indexOf(text);
    if (known === -1) texts.push(text);
    pairs.push([left, right, known === -1 ? texts.length - 1 : known]);
  }
  // Ranks in an order of their own: a piece may be needed before its parts are likely.
  for (let i = pairs.length - 1; i > 0; i--) {
    const j = next(i + 1);
    [pairs[i], pairs[j]] = [pairs[j] as [number, number, number], pairs[i] as [number, number, number]];
  }
  return { model: modelOf(texts, pairs), texts, pairs };
}

function modelOf(texts: readonly string[], pairs: Table['pairs'], ignoreMerges = false): PairModel {
  const merges = new MergeList();
  for (const pair of pairs) merges.add(...pair);
  return { vocabulary: new Map(texts.map((text, id) => [text, id])), merges, ignoreMerges, byteIds: [] };
}

function plain({ texts, pairs }: Table, word: string, blocked: ReadonlySet<number> = new Set()): number[] {
  const ids = [...word].map((letter) => texts.indexOf(letter));
  for (;;) {
    let best: { at: number; rank: number } | undefined;
    for (let at = 0; at + 1 < ids.length; at++) {
      const rank = pairs.findIndex(([a, b, made]) => a === ids[at] && b === ids[at + 1] && !blocked.has(made));
      if (rank !== -1 && (!best || rank < best.rank)) best = { at, rank };
    }
    if (!best) return ids;
    ids.splice(best.at, 2, (pairs[best.rank] as Table['pairs'][number])[2]);
  }
}

function encode(model: PairModel, word: string, blocked: ReadonlySet<number> = new Set()): number[] {
  const ids: number[] = [];
  new PairEncoder(model, blocked).encode(word, ids);
  return ids;
}

function randomWords(seed: number, letters: string, count: number): string[] {
  const next = dice(seed);
  return Array.from({ length: count }, () =>
    Array.from({ length: next(25) }, () => letters[next(letters.length)]).join(''),
  );
}

test.each([1, 2, 3, 4, 5, 6, 7, 8])('random table %i: every word is cut by the plain rule', (seed) => {
  const letters = 'abcd'.slice(0, 1 + (seed % 4));
  const table = randomTable(seed, letters, letters.length === 1 ? 4 : 5 + 5 * seed);
  for (const word of randomWords(seed + 100, letters, 200))
    expect([word, ...encode(table.model, word)]).toEqual([word, ...plain(table, word)]);
});

test.each([11, 12, 13, 14])('random table %i: blocked pieces are never made, neither whole nor on the way', (seed) => {
  const table = randomTable(seed, 'abc', 30);
  const next = dice(seed);
  const blocked = new Set(table.texts.map((_, id) => id).filter((id) => id >= 3 && next(3) === 0));
  expect(blocked.size).toBeGreaterThan(2);
  for (const word of randomWords(seed + 100, 'abc', 200)) {
    const ids = encode(table.model, word, blocked);
    expect([word, ...ids]).toEqual([word, ...plain(table, word, blocked)]);
    expect(ids.filter((id) => blocked.has(id))).toEqual([]);
    expect(ids.map((id) => table.texts[id]).join('')).toBe(word);
  }
});

describe('a word of the vocabulary', () => {
  const texts = ['a', 'b', 'ab', 'aba'];
  const pairs = [[0, 1, 2]] as const;

  test('is what the merges make of it, or itself where the file says so', () => {
    expect(encode(modelOf(texts, pairs), 'aba')).toEqual([2, 0]);
    expect(encode(modelOf(texts, pairs, true), 'aba')).toEqual([3]);
    expect(encode(modelOf(texts, pairs, true), 'abab')).toEqual([2, 2]);
  });

  test('is merged after all where it is blocked', () => {
    expect(encode(modelOf(texts, pairs, true), 'aba', new Set([3]))).toEqual([2, 0]);
  });
});

test('of a pair given twice the later rank counts', () => {
  const texts = ['a', 'b', 'c', 'ab', 'bc'];
  const [ab, bc] = [
    [0, 1, 3],
    [1, 2, 4],
  ] as const;
  expect(encode(modelOf(texts, [ab, bc]), 'abc')).toEqual([3, 2]);
  expect(encode(modelOf(texts, [ab, bc, ab]), 'abc')).toEqual([0, 4]);
});

test('a character without a piece becomes its bytes, which may merge', () => {
  const texts = ['x', ...Array.from({ length: 256 }, (_, byte) => `<${byte}>`), '<made>'];
  const byteIds = Array.from({ length: 256 }, (_, byte) => byte + 1);
  const [first, second] = [0xc3 + 1, 0xa9 + 1];
  const model = { ...modelOf(texts, [[first, second, 257]]), byteIds };
  expect(encode(model, 'xé')).toEqual([0, 257]);
  expect(encode(model, 'x😀')).toEqual([0, ...[0xf0, 0x9f, 0x98, 0x80].map((byte) => byte + 1)]);
});

test('a word met again has the same ids, whether it is short enough to be kept or not', () => {
  const table = randomTable(9, 'ab', 20);
  const encoder = new PairEncoder(table.model, new Set());
  for (const word of ['abab', 'ab'.repeat(200)]) {
    const [first, second]: [number[], number[]] = [[], []];
    encoder.encode(word, first);
    encoder.encode(word, second);
    expect(second).toEqual(first);
    expect(first).toEqual(plain(table, word));
  }
});
