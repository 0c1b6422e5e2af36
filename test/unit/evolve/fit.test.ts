import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { resolveConfig } from '../../../src/config/load.js';
import type { OptimizerConfig } from '../../../src/config/schema.js';
import { Stopped } from '../../../src/core/errors.js';
import type { Example, Problem, StepReport } from '../../../src/core/types.js';
import { countSteps, fit as fitOn, optimizerSettings } from '../../../src/evolve/fit.js';
import { Run } from '../../../src/run/folder.js';

const paper = resolveConfig({ model: { path: 'm' }, data: { generate: { count: 2000 } } }).evolve.optimizer;
const problem = { id: 'q' } as Problem;
const examples = Array.from(
  { length: 10 },
  (_, i): Example => ({ problem, variant: 'solve', response: Int32Array.of(i) }),
);

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'mstar-fit-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Remembers the examples of each step; its weights are their history. */
function learner(onStep: (step: number) => void = () => {}) {
  let history: number[][] = [];
  return {
    history: () => history,
    async trainStep(batch: readonly Example[]): Promise<StepReport> {
      history = [...history, batch.map(({ response }) => response[0] as number)];
      onStep(history.length);
      return { loss: 1 / history.length, gradNorm: 1, lr: 1, tokens: batch.length, version: history.length };
    },
    async save(folder: string): Promise<void> {
      await mkdir(folder);
      await writeFile(join(folder, 'weights.json'), JSON.stringify(history));
    },
    async restore(folder: string): Promise<void> {
      history = JSON.parse(await readFile(join(folder, 'weights.json'), 'utf8'));
    },
  };
}

async function train(
  model: ReturnType<typeof learner>,
  optimizer: Partial<OptimizerConfig>,
  every = 0,
  signal?: AbortSignal,
) {
  const run = await Run.open({ dir, settings: {}, signal });
  try {
    const options = { optimizer: { ...paper, ...optimizer }, seed: 1, every };
    return await run.phase('train', (phase) => fitOn(phase, model, examples, options));
  } finally {
    await run.close();
  }
}

describe('training', () => {
  test('passes over all examples once an epoch, in other order each time, in batches of nearly equal size', async () => {
    const model = learner();
    const report = await train(model, { batchSize: 4, epochs: 2 });
    expect(model.history().map((batch) => batch.length)).toEqual([3, 4, 3, 3, 4, 3]);
    const epochs = [model.history().slice(0, 3).flat(), model.history().slice(3).flat()];
    for (const epoch of epochs) expect([...epoch].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(epochs[0]).not.toEqual(epochs[1]);
    expect(report).toEqual({ examples: 10, seen: 20, steps: 6, firstLoss: 1, lastLoss: 1 / 6 });
  });

  test('ends early at maxSteps', async () => {
    const model = learner();
    await train(model, { batchSize: 4, epochs: 2, maxSteps: 4 });
    expect(model.history()).toHaveLength(4);
  });

  test('makes a savepoint when asked to stop, and goes on from it', async () => {
    const undisturbed = learner();
    await train(undisturbed, { batchSize: 2 });
    rmSync(dir, { recursive: true });

    const controller = new AbortController();
    const stopped = learner((step) => step === 3 && controller.abort());
    await expect(train(stopped, { batchSize: 2 }, 0, controller.signal)).rejects.toThrow(Stopped);
    expect(readdirSync(join(dir, 'work/train'))).toEqual(['step-00000003']);
    const resumed = learner();
    const report = await train(resumed, { batchSize: 2 });
    expect(resumed.history()).toEqual(undisturbed.history());
    expect(report.steps).toBe(5);
    const journal = await readFile(join(dir, 'journal.jsonl'), 'utf8');
    expect(journal.match(/"event":"step"/g)).toHaveLength(5);
  });

  test('keeps the newest savepoint and passes over it where it is damaged', async () => {
    const failing = learner((step) => {
      if (step === 5) throw new Error('power cut');
    });
    await expect(train(failing, { batchSize: 2 }, 2)).rejects.toThrow('power cut');
    expect(readdirSync(join(dir, 'work/train'))).toEqual(['step-00000004']);
    await writeFile(join(dir, 'work/train/step-00000004/weights.json'), '[]');
    const resumed = learner();
    await train(resumed, { batchSize: 2 }, 2);
    expect(resumed.history()).toHaveLength(5);
  });
});

test('the steps of a training follow from examples, batch and epochs', () => {
  expect(countSteps(90_000, { ...paper })).toBe(704);
  expect(countSteps(0, { ...paper })).toBe(0);
  expect(countSteps(1, { ...paper, epochs: 3 })).toBe(3);
  expect(countSteps(1000, { ...paper, maxSteps: 5 })).toBe(5);
});

test('the rate rises over the warm-up ratio of all steps, and falls over the decay ratio', () => {
  expect(optimizerSettings(paper, 10_000)).toMatchObject({ lr: 1e-6, warmupSteps: 1000, clip: 1, freeze: [] });
  expect(optimizerSettings(paper, 10_000)).toMatchObject({ decaySteps: 0 });
  const falling = { ...paper, decayRatio: 0.2 };
  expect(optimizerSettings(falling, 10_000)).toMatchObject({ decaySteps: 2000, totalSteps: 10_000 });
});
