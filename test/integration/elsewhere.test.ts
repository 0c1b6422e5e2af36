// What a run can take from elsewhere in place of making it: a PRM. On a simulated learner, without the engine.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ConfigInput } from '../../src/config/schema.js';
import type { Summary } from '../../src/evolve/summary.js';
import { evolve } from '../../src/jobs/jobs.js';
import type { RecipeOptions } from '../../src/jobs/options.js';
import { fakeHost } from '../fakes/host.js';
import { smallRecipe } from './recipe.js';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'mstar-elsewhere-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const run = (name: string, change: Partial<ConfigInput>, options: RecipeOptions = {}): Promise<Summary> =>
  evolve(smallRecipe(root, name, change), { host: fakeHost(), ...options });
const phasesOf = (name: string): string[] =>
  readFileSync(join(root, name, 'journal.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string; phase: string })
    .filter(({ event }) => event === 'commit')
    .map(({ phase }) => phase);
const optimizer = { lr: 0.06, batchSize: 8, weightDecay: 0 };
const short = { iterations: 2, interval: 24, n: 6, optimizer };

describe('a PRM made elsewhere', () => {
  let own: Summary;
  beforeAll(async () => {
    own = await run('own', { evolve: short, explore: { adaptive: false } });
  });
  const given = (name: string, path: string) =>
    run(name, { prm: { path }, evolve: short, explore: { adaptive: false } });

  test('takes the place of labels and their training, and gives the rewards that it gives where it was made', async () => {
    const found = await given('given', join(root, 'own/checkpoints/prm'));
    expect(phasesOf('given')).toEqual(phasesOf('own').filter((phase) => !['label', 'train-prm'].includes(phase)));
    expect(existsSync(join(root, 'given/checkpoints/prm'))).toBe(false);
    expect(found.iterations).toEqual(own.iterations);
    expect(found.final).toEqual(own.final);
  });

  test('of another tokenizer reads the text of the responses, with the same rewards', async () => {
    const dir = join(root, 'other');
    cpSync(join(root, 'own/checkpoints/prm'), dir, { recursive: true });
    const weights = JSON.parse(readFileSync(join(dir, 'model.json'), 'utf8')) as object;
    writeFileSync(join(dir, 'model.json'), JSON.stringify({ ...weights, tokenizer: 'another' }));
    const found = await given('by-text', dir);
    expect(found.iterations).toEqual(own.iterations);
    expect(found.final).toEqual(own.final);
  });

  test('is refused before a folder is made where it cannot be read, and where a PRM is to be trained', async () => {
    await expect(given('absent', join(root, 'nowhere'))).rejects.toThrow('nowhere: model.json: missing');
    expect(existsSync(join(root, 'absent'))).toBe(false);
    await expect(run('trained', { prm: { path: 'x' } }, { until: 'label' })).rejects.toThrow(
      'prm.path: given, wanted none where steps are labelled and a PRM is trained',
    );
  });

  test('is out of memory while the policy learns', async () => {
    const open: string[] = [];
    const host = fakeHost();
    const counting: typeof host = {
      openPolicy: async (dir) => {
        const policy = await host.openPolicy(dir);
        const step = policy.trainStep.bind(policy);
        policy.trainStep = (batch) => {
          expect(open).toEqual([]);
          return step(batch);
        };
        return policy;
      },
      openScorer: async (dir, head) => {
        const scorer = await host.openScorer(dir, head);
        open.push(`${head} ${dir}`);
        const dispose = scorer.dispose.bind(scorer);
        scorer.dispose = () => {
          open.pop();
          return dispose();
        };
        return scorer;
      },
    };
    const path = join(root, 'own/checkpoints/prm');
    const recipe = smallRecipe(root, 'memory', { prm: { path }, evolve: short, explore: { adaptive: false } });
    const { iterations } = await evolve(recipe, { host: counting });
    expect(iterations.map(({ training }) => training.steps > 0)).toEqual([true, true]);
  });
});
