// Splits and consumption order.
import { describe, expect, it } from 'vitest';
import type { Problem } from '../../../src/core/types.js';
import { contentKeys } from '../../../src/data/content.js';
import {
  apartFrom,
  checkOverlap,
  intervalSlices,
  type Splits,
  shuffledEpochs,
  splitProblems,
} from '../../../src/data/splits.js';

function problem(id: number, question = `Question ${id}`): Problem {
  return {
    id: String(id),
    question,
    images: [{ path: '/p.png' }],
    answer: '1',
    questionType: 'free_form',
    answerType: 'integer',
    choices: [],
    source: 'x',
  };
}
const thousand = Array.from({ length: 1000 }, (_, i) => problem(i));
const ids = (problems: readonly Problem[]) => problems.map(({ id }) => Number(id));
const sizes = ({ labelled, unlabelled, test, validation }: Splits) =>
  [labelled, unlabelled, test, validation].map((part) => part.length);

describe('splitProblems', () => {
  it('halves the data, draws test and validation from the unlabelled half and loses no problem', () => {
    const splits = splitProblems(thousand, { test: 75, validation: 25 }, 1);
    expect(sizes(splits)).toEqual([500, 400, 75, 25]);
    const all = [splits.labelled, splits.unlabelled, splits.test, splits.validation].flat();
    expect(ids(all).sort((a, b) => a - b)).toEqual(ids(thousand));
  });

  it('gives the same parts for the same seed and others for another', () => {
    const first = splitProblems(thousand, { test: 75, validation: 25 }, 1);
    expect(splitProblems(thousand, { test: 75, validation: 25 }, 1)).toEqual(first);
    expect(ids(splitProblems(thousand, { test: 75, validation: 25 }, 2).test)).not.toEqual(ids(first.test));
  });

  it('labels all that test and validation leave when asked for everything', () => {
    expect(sizes(splitProblems(thousand, { test: 100, validation: 50, labelled: 1 }, 1))).toEqual([850, 0, 100, 50]);
  });

  it('keeps repeats of one question in one part', () => {
    const repeated = Array.from({ length: 300 }, (_, i) => problem(i, `Question ${i % 100}`));
    const splits = splitProblems(repeated, { test: 30, validation: 30 }, 5);
    expect(sizes(splits)).toEqual([150, 90, 30, 30]);
    expect(() => checkOverlap({ ...splits })).not.toThrow();
  });

  it('refuses data that leave nothing to train on', () => {
    expect(() => splitProblems(thousand, { test: 750, validation: 250 }, 1)).toThrow(
      'data: 1000 problems, wanted more than the 750 of test and 250 of validation',
    );
    const ten = thousand.slice(0, 10);
    expect(() => splitProblems(ten, { test: 6, validation: 3 }, 1)).toThrow(
      'splits: 1 of 10 problems left to train on by 6 for test and 3 for validation, wanted the 5 of splits.labelled',
    );
    expect(sizes(splitProblems(ten, { test: 6, validation: 3, labelled: 0.1 }, 1))).toEqual([1, 0, 6, 3]);
    expect(sizes(splitProblems(ten, { test: 4, validation: 2 }, 1))).toEqual([4, 0, 4, 2]);
    expect(sizes(splitProblems(thousand, { test: 600, validation: 250 }, 1))).toEqual([150, 0, 600, 250]);
  });
});

describe('checkOverlap', () => {
  it('names the first shared problem, told by pictures and question', () => {
    const parts = { training: [problem(1)], test: [problem(2), { ...problem(1), id: 'other' }] };
    expect(() => checkOverlap(parts)).toThrow(
      'data: problem "other" of test is also "1" of training, wanted parts that do not overlap',
    );
  });

  it('lets repeats inside one part and equal questions about other pictures pass', () => {
    const elsewhere = { ...problem(1), images: [{ name: 'q.png', bytes: new Uint8Array() }] };
    expect(() => checkOverlap({ training: [problem(1), problem(1)], test: [elsewhere] })).not.toThrow();
  });
});

describe('apartFrom', () => {
  const picture = (byte: number) => ({ name: `${Math.random()}.png`, bytes: Uint8Array.of(byte, 1, 2) });
  const set = (...rows: (readonly [id: string, question: string, byte: number])[]): Problem[] =>
    rows.map(([id, question, byte]) => ({ ...problem(0, question), id, images: [picture(byte)] }));
  const data = set(['a', 'How many?', 1], ['b', 'How many?', 2], ['c', 'How long?', 1]);
  const other = set(['x', 'How many?', 2], ['y', 'How wide?', 1]);
  const dropped: number[] = [];
  const apart = async (repeats: 'refuse' | 'drop', outOfDomain = other) =>
    apartFrom(outOfDomain, data, await contentKeys([...data, ...outOfDomain]), repeats, (count) => dropped.push(count));

  it('drops problems with the question and picture of one out of domain, under whatever name, and counts them', async () => {
    expect((await apart('drop')).map(({ id }) => id)).toEqual(['a', 'c']);
    expect(dropped).toEqual([1]);
  });

  it('refuses them by number and name, and lets a set of its own pass', async () => {
    await expect(apart('refuse')).rejects.toThrow(
      'data.outOfDomain: 1 of 3 problems of the data are also in it ("b" is its "x"), wanted none',
    );
    expect(await apart('refuse', set(['z', 'How many?', 3]))).toEqual(data);
  });
});

describe('intervalSlices', () => {
  const order = (epoch: number) => [0, 1, 2, 3, 4].map((i) => epoch * 10 + i);
  it.each([
    [2, [[0, 1], [2, 3], [4], [10, 11], [12, 13], [14], [20, 21]]],
    [
      5,
      [
        [0, 1, 2, 3, 4],
        [10, 11, 12, 13, 14],
      ],
    ],
    [
      9,
      [
        [0, 1, 2, 3, 4],
        [10, 11, 12, 13, 14],
      ],
    ],
  ])('cuts epochs of 5 problems into iterations of %i', (problemsPerIteration, wanted) => {
    const slice = intervalSlices(order, problemsPerIteration);
    expect(wanted.map((_, iteration) => slice(iteration).problems)).toEqual(wanted);
  });

  it.each([
    [180_001, 45_000, [45_000, 45_000, 45_000, 45_001]],
    [179_999, 45_000, [45_000, 45_000, 45_000, 44_999]],
    [100, 13, [13, 13, 13, 13, 13, 13, 13, 9]],
    [100_000, 45_000, [45_000, 55_000]],
    [7, 4, [4, 3]],
  ])('leaves no iteration of a few of %i problems at the end of a pass by %i', (count, size, wanted) => {
    const slice = intervalSlices(() => Array.from({ length: count }, (_, i) => i), size);
    expect(wanted.map((_, iteration) => slice(iteration).problems.length)).toEqual(wanted);
    expect(slice(wanted.length).epoch).toBe(1);
  });

  it('says which epoch a slice belongs to', () => {
    const slice = intervalSlices(order, 2);
    expect([0, 2, 3, 6].map((iteration) => slice(iteration).epoch)).toEqual([0, 0, 1, 2]);
  });

  it('consumes every question once an epoch, in a fresh order', () => {
    const slice = intervalSlices(shuffledEpochs(100, 1), 25);
    const epochs = [0, 1].map((epoch) => [0, 1, 2, 3].flatMap((i) => slice(epoch * 4 + i).problems));
    for (const epoch of epochs)
      expect([...epoch].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(epochs[0]).not.toEqual(epochs[1]);
  });

  it('refuses empty data and an interval below one', () => {
    expect(() => intervalSlices(shuffledEpochs(0, 1), 1)).toThrow('no problems');
    expect(() => intervalSlices(order, 0)).toThrow('wanted an integer of at least 1');
  });
});
