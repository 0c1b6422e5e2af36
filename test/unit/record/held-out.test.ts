// Holding labelled responses out of the training of the PRM, and the file of what it makes of them.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writeJsonLines } from '../../../src/core/files.js';
import type { LabelledResponse } from '../../../src/record/labels.js';
import { readHeldOut, splitHeldOut } from '../../../src/record/labels.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'mstar-held-out-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** One to four responses to each of so many problems. */
function labelled(problems: number): LabelledResponse[] {
  return Array.from({ length: problems }, (_, q) =>
    Array.from(
      { length: 1 + (q % 4) },
      (_, sample): LabelledResponse => ({
        problem: `q${q}`,
        sample,
        verdict: 'wrong',
        text: 'x',
        tokens: [1],
        steps: [{ end: 1, label: 0 }],
      }),
    ),
  ).flat();
}

describe('the split', () => {
  test.each([0.1, 0.25, 0.5])('holds out a share of %d of the responses, up to those of one problem more', (share) => {
    const all = labelled(80);
    const { heldOut } = splitHeldOut(all, share, 1);
    expect(heldOut.length).toBeGreaterThanOrEqual(share * all.length);
    expect(heldOut.length).toBeLessThan(share * all.length + 4);
  });

  test('keeps all responses to a problem on one side, in their order, and loses none', () => {
    const all = labelled(40);
    const { training, heldOut } = splitHeldOut(all, 0.3, 2);
    const out = new Set(heldOut.map(({ problem }) => problem));
    expect(training.some(({ problem }) => out.has(problem))).toBe(false);
    expect(all.filter(({ problem }) => out.has(problem))).toEqual(heldOut);
    expect(all.filter(({ problem }) => !out.has(problem))).toEqual(training);
  });

  test('is the same for the same seed and another for another', () => {
    const all = labelled(40);
    const problems = (seed: number): string[] => splitHeldOut(all, 0.3, seed).heldOut.map(({ problem }) => problem);
    expect(problems(1)).toEqual(problems(1));
    expect(problems(1)).not.toEqual(problems(2));
  });

  test('holds out nothing at share 0, and never the last problem', () => {
    expect(splitHeldOut(labelled(10), 0, 1).heldOut).toEqual([]);
    expect(splitHeldOut(labelled(1), 0.9, 1)).toEqual({ training: labelled(1), heldOut: [] });
    expect(splitHeldOut(labelled(2), 0.9, 1).training.length).toBeGreaterThan(0);
  });
});

describe('the file', () => {
  const one = {
    problem: 'q1',
    sample: 3,
    verdict: 'correct' as const,
    steps: [
      { end: 4, label: 0.25, score: -0.01 },
      { end: 9, label: 1, score: 0.75, right: false },
    ],
  };

  test('is read as it was written, a response a line', async () => {
    const path = join(dir, 'held.jsonl');
    await writeJsonLines(path, [one, { ...one, sample: 4 }]);
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(3);
    expect(await readHeldOut(path)).toEqual([one, { ...one, sample: 4 }]);
  });

  test.each([
    ['{"problem":', ':2: record: cut off by the end of the file, wanted a whole record'],
    [JSON.stringify({ ...one, steps: [{ end: 4, label: 2, score: 0 }] }), ':2: steps.0.label: 2, wanted at most 1'],
    [
      JSON.stringify({ ...one, steps: [{ end: 4, label: 1, score: null }] }),
      ':2: steps.0.score: null, wanted a value of type number',
    ],
  ])('with the line %s is refused by line and field', async (line, message) => {
    const path = join(dir, 'bad.jsonl');
    writeFileSync(path, `${JSON.stringify(one)}\n${line}\n`);
    await expect(readHeldOut(path)).rejects.toThrow(`${path}${message}`);
  });
});
