// What a run has on the axes that it shares with others.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sharedTemperature, sidesOf, testsByStep } from '../../../../src/views/compare/comparison.js';
import { readRun } from '../../../../src/views/run/read.js';
import { type FakeEvent, samples, step, stood, tested, writeRun } from '../../../fakes/journal.js';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'mstar-side-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const read = (name: string, settings: object, ...events: FakeEvent[]) =>
  readRun(writeRun(join(root, name), settings, events));

describe('test accuracies by optimizer step', () => {
  const steps = [step('iter-0001'), step('iter-0001'), tested('iter-0001', 0.3), step('iter-0002'), step('iter-0002')];

  test('stand where the policy had taken that many steps in all; the warm-up is at none', async () => {
    const run = await read(
      'steps',
      {},
      step('warmup'),
      tested('base', 0.1),
      tested('warmup', 0.2),
      ...steps,
      tested('iter-0002', 0.4),
    );
    expect(testsByStep(run)).toEqual([
      [0, 0.2],
      [2, 0.3],
      [4, 0.4],
    ]);
  });

  test('begin with the base model where there is no warm-up', async () => {
    const run = await read('bare', { warmup: { enabled: false } }, tested('base', 0.1), ...steps);
    expect(testsByStep(run)).toEqual([
      [0, 0.1],
      [2, 0.3],
    ]);
  });
});

describe('the temperature to compare at', () => {
  const at = async (...temperatures: (readonly number[])[][]): Promise<number | null> => {
    const runs = [];
    for (const [i, run] of temperatures.entries()) {
      const events = run.map((some, iteration) =>
        stood(
          iteration,
          0.5,
          some.map((t) => samples(t)),
        ),
      );
      runs.push(await read(`t${i}`, { evolve: { temperature: 1 } }, ...events));
    }
    return sharedTemperature(sidesOf(runs, ['a', 'b', 'c']));
  };

  test('is one that every run measured after every iteration, nearest to that of the first run', async () => {
    expect(await at([[0.5, 1]], [[0.5, 1, 1.2], [1]])).toBe(1);
    expect(await at([[0.5, 1]], [[0.5, 1], [0.5]])).toBe(0.5);
    expect(await at([[0.7, 1.3, 2]], [[0.7, 1.3, 2]])).toBe(0.7);
  });

  test('is not looked for in a run that has measured nothing yet', async () => {
    expect(await at([[0.5]], [])).toBe(0.5);
  });

  test('is none where the runs share none', async () => {
    expect(await at([[0.5]], [[1]])).toBeNull();
    expect(await at([], [])).toBeNull();
  });
});
