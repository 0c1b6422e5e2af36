// Problems told apart by what they hold, and splits that go by it.
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ImageSource, Problem } from '../../../src/core/types.js';
import { contentKeys } from '../../../src/data/content.js';
import { checkOverlap, splitProblems } from '../../../src/data/splits.js';

const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'mstar-content-')));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, contents: string): ImageSource {
  const at = path.join(folder, name);
  writeFileSync(at, contents);
  return { path: at };
}
const memory = (name: string, contents: string): ImageSource => ({ name, bytes: Buffer.from(contents) });

function problem(id: string, question: string, ...images: ImageSource[]): Problem {
  return {
    id,
    question,
    images,
    answer: '1',
    questionType: 'free_form',
    answerType: 'integer',
    choices: [],
    source: '',
  };
}

async function sameKey(a: Problem, b: Problem): Promise<boolean> {
  const keyOf = await contentKeys([a, b]);
  return keyOf(a) === keyOf(b);
}

describe('contentKeys', () => {
  const one = file('one.png', 'picture');
  it.each<[string, boolean, ImageSource]>([
    ['the same file', true, one],
    ['a copy under another name', true, file('copy.png', 'picture')],
    ['the same bytes in memory', true, memory('row 7', 'picture')],
    ['other bytes of the same length', false, file('other.png', 'drawing')],
    ['other bytes in memory', false, memory('row 8', 'drawing')],
    ['a longer file', false, file('longer.png', 'pictures')],
    ['a file that is gone', false, { path: path.join(folder, 'gone.png') }],
  ])('of an equal question about %s are equal: %s', async (_, equal, other) => {
    expect(await sameKey(problem('1', 'How many?', one), problem('2', 'How many?', other))).toBe(equal);
  });

  it('differ where the question does, or the order or number of the pictures', async () => {
    const [a, b] = [file('a.png', '1'), file('b.png', '2')];
    expect(await sameKey(problem('1', 'How many?', one), problem('2', 'Which?', one))).toBe(false);
    expect(await sameKey(problem('1', 'Which?', a, b), problem('2', 'Which?', b, a))).toBe(false);
    expect(await sameKey(problem('1', 'Which?', a), problem('2', 'Which?', a, a))).toBe(false);
  });

  it('differ for pictures in memory that only share their name', async () => {
    expect(await sameKey(problem('1', 'Q', memory('row 1', 'x')), problem('2', 'Q', memory('row 1', 'y')))).toBe(false);
  });

  it('read only the files of equal questions whose lengths are equal too', async () => {
    const told: number[] = [];
    const problems = [
      problem('1', 'How many?', file('1.png', 'aaaa')),
      problem('2', 'How many?', file('2.png', 'bbbb')),
      problem('3', 'How many?', file('3.png', 'longer')),
      problem('4', 'Another?', file('4.png', 'cccc')),
      problem('5', 'Another?', file('4.png', 'cccc')),
    ];
    await contentKeys(problems, (files) => told.push(files));
    await contentKeys(problems.slice(2), (files) => told.push(files));
    expect(told).toEqual([2]);
  });
});

describe('splits by content', () => {
  const pairs = Array.from({ length: 100 }, (_, i) => [
    problem(`a${i}`, 'How many?', file(`a${i}.png`, `picture ${i}`)),
    problem(`b${i}`, 'How many?', file(`b${i}.png`, `picture ${i}`)),
  ]).flat();

  it('keep copies of a picture in one part, and lose no problem', async () => {
    const keyOf = await contentKeys(pairs);
    const splits = splitProblems(pairs, { test: 40, validation: 20 }, 1, keyOf);
    const parts = new Map(Object.entries(splits).flatMap(([part, all]) => all.map(({ id }: Problem) => [id, part])));
    expect(parts.size).toBe(200);
    for (let i = 0; i < 100; i++) expect(parts.get(`a${i}`)).toBe(parts.get(`b${i}`));
    expect(() => checkOverlap({ ...splits }, keyOf)).not.toThrow();
  });

  it('are those by name where no picture lies under two names', async () => {
    const single = pairs.filter(({ id }) => id.startsWith('a'));
    const sizes = { test: 20, validation: 10 };
    expect(splitProblems(single, sizes, 3, await contentKeys(single))).toEqual(splitProblems(single, sizes, 3));
  });

  it('of two files that share a problem under other names and ids are refused', async () => {
    const parts = { training: pairs.slice(0, 1), test: pairs.slice(1, 2) };
    const keyOf = await contentKeys(pairs);
    expect(() => checkOverlap(parts)).not.toThrow();
    expect(() => checkOverlap(parts, keyOf)).toThrow('problem "b0" of test is also "a0" of training');
  });
});
