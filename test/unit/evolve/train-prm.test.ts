// The training of the PRM on the fake learner: what is held out, how it is scored, and what the phase says of it.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Summary } from '../../../src/evolve/summary.js';
import { evolve } from '../../../src/jobs/jobs.js';
import { type HeldOutResponse, type LabelledResponse, readHeldOut, readLabels } from '../../../src/record/labels.js';
import { fakeHost } from '../../fakes/host.js';
import { smallRecipe } from '../../integration/recipe.js';

let root: string;
let summary: Summary;
let labels: LabelledResponse[];
let heldOut: HeldOutResponse[];
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'mstar-train-prm-'));
  const { prm } = smallRecipe(root, 'run');
  summary = await evolve(smallRecipe(root, 'run', { prm: { ...prm, heldOut: 0.25 } }), {
    host: fakeHost(),
    until: 'train-prm',
  });
  labels = await readLabels(join(root, 'run/labels.jsonl'));
  heldOut = await readHeldOut(join(root, 'run/prm-held-out.jsonl'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('held-out responses', () => {
  test('are no examples of the training, and all others are', () => {
    expect(heldOut.length).toBeGreaterThanOrEqual(labels.length / 4);
    expect(summary.prm?.examples).toBe(labels.length - heldOut.length);
  });

  test('carry the labels of labels.jsonl', () => {
    const withoutScores = heldOut.map(({ steps, ...one }) => ({
      ...one,
      steps: steps.map(({ score: _, ...step }) => step),
    }));
    const wanted = labels
      .filter(({ problem }) => heldOut.some((one) => one.problem === problem))
      .map(({ problem, sample, verdict, steps }) => ({ problem, sample, verdict, steps }));
    expect(withoutScores).toEqual(wanted);
  });

  test('are scored by the PRM as it was saved', () => {
    const { bias, slope } = JSON.parse(readFileSync(join(root, 'run/checkpoints/prm/model.json'), 'utf8'));
    for (const { steps } of heldOut)
      for (const [i, { score }] of steps.entries()) {
        const sound = steps.slice(0, i + 1).every(({ right }) => right);
        expect(score).toBeCloseTo(bias + (sound ? slope : 0), 6);
      }
  });

  test('give the error, that of the mean label of the training, and the correlation', () => {
    const steps = heldOut.flatMap((one) => one.steps);
    const out = new Set(heldOut.map(({ problem }) => problem));
    const usual = mean(
      labels.filter(({ problem }) => !out.has(problem)).flatMap((one) => one.steps.map(({ label }) => label)),
    );
    const found = summary.prm?.heldOut;
    expect([found?.problems, found?.responses, found?.steps]).toEqual([out.size, heldOut.length, steps.length]);
    expect(found?.mse).toBeCloseTo(mean(steps.map(({ score, label }) => (score - label) ** 2)), 12);
    expect(found?.baselineMse).toBeCloseTo(mean(steps.map(({ label }) => (usual - label) ** 2)), 12);
    expect(found?.correlation).toBeGreaterThan(0.3);
    // The fake scorer learns which steps are sound, so it must beat a constant.
    expect(found?.mse).toBeLessThan(found?.baselineMse as number);
  });
});

test('with prm.heldOut 0 all responses are trained on and no file is left', async () => {
  const { prm } = smallRecipe(root, 'all');
  const all = await evolve(smallRecipe(root, 'all', { prm: { ...prm, heldOut: 0 } }), {
    host: fakeHost(),
    until: 'train-prm',
  });
  expect(all.prm?.heldOut).toBeNull();
  expect(all.prm?.examples).toBe(labels.length);
  expect(existsSync(join(root, 'all/prm-held-out.jsonl'))).toBe(false);
});
