// Methods, limits, thresholds and shared phases on a simulated learner, without the engine.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ConfigInput } from '../../src/config/schema.js';
import { random } from '../../src/core/random.js';
import { loadProblems } from '../../src/data/problems.js';
import { evolve } from '../../src/jobs/jobs.js';
import { readSelected } from '../../src/record/groups.js';
import type { JournalEvent } from '../../src/run/journal.js';
import { listRuns } from '../../src/views/run/runs.js';
import { fakeHost } from '../fakes/host.js';
import { smallRecipe } from './recipe.js';

type Event = JournalEvent & Record<string, unknown>;

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'mstar-methods-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const journalOf = (name: string): Event[] =>
  readFileSync(join(root, name, 'journal.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Event);
const phasesOf = (name: string) =>
  journalOf(name)
    .filter(({ event }) => event === 'commit')
    .map(({ phase }) => phase as string);
const stepsOf = (name: string, prefix: string) =>
  journalOf(name).filter(({ event, phase }) => event === 'step' && String(phase).startsWith(prefix));
const optimizer = { lr: 0.06, batchSize: 8, weightDecay: 0, warmupRatio: 0.5 };
const FIRST = 'steps-continuous';
const limited = { iterations: 0, steps: 13, interval: 24, n: 6, optimizer };
const run = (name: string, change: Partial<ConfigInput>, from?: string) =>
  evolve(smallRecipe(root, name, change), { host: fakeHost(), ...(from !== undefined && { from: join(root, from) }) });

test('labels and PRM are made where a decision needs rewards, and a run without them begins like one with them', async () => {
  const small = { warmup: { problems: 12, samples: 2, optimizer }, explore: { adaptive: false } };
  const evolve = { ...limited, iterations: 1, select: { rule: 'all' as const } };
  const prm = { problems: 16, samples: 4, pairs: 16, completions: 2, completerEpochs: 0, optimizer };
  await run('scored', { ...small, prm: { ...prm, enabled: true }, evolve });
  const { dynamics, final } = await run('unscored', { ...small, evolve }, 'scored');
  const own = ['dynamics-0000', 'iter-0001', 'dynamics-0001', 'test-iter-0001', 'test-final'];
  expect(phasesOf('unscored')).toEqual(['warmup', 'test-base', 'test-warmup', ...own]);
  expect(phasesOf('scored')).toEqual(['warmup', 'label', 'train-prm', 'test-base', 'test-warmup', ...own]);
  expect(dynamics.flatMap(({ samples }) => samples.map((one) => one.rewardPassAt2))).toEqual([null, null]);
  expect(final?.samples).toMatchObject({ rewardPassAt2: null, bestOfK: null, weightedVote: null });
  expect((await listRuns(root)).find(({ name }) => name === 'unscored')).toMatchObject({ state: 'finished' });
});

test('runs of different seeds have the same split where it has a seed of its own', async () => {
  const split = async (seed: number, own: object): Promise<string> => {
    const name = `split-${seed}-${JSON.stringify(own).length}`;
    const base = smallRecipe(root, name);
    const change = {
      seed,
      data: { generate: { count: 160, seed: 1 } },
      splits: { ...base.splits, ...own },
      warmup: { problems: 4, samples: 2, optimizer },
    };
    await evolve({ ...base, ...change }, { host: fakeHost(), until: 'warmup' });
    return readFileSync(join(root, name, 'splits.json'), 'utf8');
  };
  expect(await split(2, { seed: 5 })).toBe(await split(1, { seed: 5 }));
  expect(await split(2, {})).not.toBe(await split(1, {}));
});

describe('the same number of optimizer steps', () => {
  test.each(['continuous', 'iterative-rft', 'rest-em', 'sft'] as const)('ends the method %s', async (method) => {
    // The first run does the phases that the others begin with.
    const from = method === 'continuous' ? undefined : FIRST;
    const { iterations } = await run(
      `steps-${method}`,
      { evolve: { ...limited, method, sft: { on: 'chains' } } },
      from,
    );
    expect(stepsOf(`steps-${method}`, 'iter-')).toHaveLength(13);
    const line = (await listRuns(root)).find(({ name }) => name === `steps-${method}`);
    expect(line).toMatchObject({ method, iterations: String(iterations.length), state: 'finished' });
    expect(iterations.reduce((sum, { training }) => sum + training.steps, 0)).toBe(13);
    expect(iterations.length === 1).toBe(method === 'sft');
  });

  test('is what the one schedule of the continuous method spans', () => {
    const lr = stepsOf('steps-continuous', 'iter-').map((step) => step.lr as number);
    // Half of 13 steps, rounded, rise.
    expect(lr.map((rate) => Number((rate / 0.06).toFixed(3)))).toEqual(
      Array.from({ length: 13 }, (_, i) => Number(Math.min(1, (i + 1) / 7).toFixed(3))),
    );
  });

  test('lets sft train on the examples of the warm-up alone, again and again', () => {
    const sampled = journalOf('steps-sft').find(({ event, phase }) => event === 'commit' && phase === 'iter-0001');
    expect(sampled?.tokens).toMatchObject({ sampled: 0 });
    const warmup = journalOf('steps-sft').find(({ event, phase }) => event === 'commit' && phase === 'warmup');
    const result = warmup?.result as { training: { examples: number } } | undefined;
    const examples = result?.training.examples ?? Number.NaN;
    expect(sampled?.result).toMatchObject({ origin: 'warmup', training: { examples, steps: 13 } });
  });

  test('lets sft train on the labelled answers where these are asked for, with a warm-up or without', async () => {
    for (const warmup of [{ problems: 12, samples: 2, optimizer }, { enabled: false }]) {
      const name = `answers-${warmup.enabled ?? true}`;
      const { iterations, problems } = await run(name, {
        warmup,
        evolve: { ...limited, steps: 4, method: 'sft' },
        explore: { adaptive: false },
      });
      expect(iterations[0]).toMatchObject({
        choice: { sampled: 0, selected: problems.labelled },
        training: { examples: problems.labelled, steps: 4 },
      });
    }
  });

  test('is divided evenly among the iterations where that is asked for, in as many passes as it takes', async () => {
    const { iterations } = await run(
      'even',
      {
        evolve: { ...limited, iterations: 2, steps: 31, evenly: true, method: 'rest-em' },
      },
      FIRST,
    );
    expect(iterations.map(({ training }) => training.steps)).toEqual([16, 15]);
    expect(iterations.map(({ origin }) => origin)).toEqual(['warmup', 'warmup']);
  });

  test('measures and tests the last checkpoint whatever the distance between measurements', async () => {
    const dynamics = { samples: 4, temperatures: [1], every: 100 };
    const done = await run('sparse', {
      evolve: limited,
      dynamics,
      test: { samples: 4, every: 100 },
      explore: { adaptive: false },
    });
    const last = `000${done.iterations.length}`;
    expect(done.dynamics.map(({ iteration }) => iteration)).toEqual([0, done.iterations.length]);
    expect(Object.keys(done.test)).toEqual(['base', 'warmup', `iter-${last}`]);
  });
});

describe('a method written down once more, plainly', () => {
  /** From the warm-up and the responses that each iteration selected to the weights and moments of the last checkpoint. */
  async function twin(method: 'continuous' | 'iterative-rft' | 'rest-em', name: string): Promise<unknown> {
    const host = fakeHost();
    const folder = join(root, name);
    const warmup = join(folder, 'checkpoints/warmup');
    const settings = (steps: number) => ({
      lr: 0.06,
      warmupSteps: Math.round(0.5 * steps),
      betas: [0.9, 0.999] as const,
      eps: 1e-8,
      weightDecay: 0,
      clip: 1,
      freeze: [],
    });
    let policy = await host.openPolicy(warmup);
    await policy.resetOptimizer(settings(13));
    let left = 13;
    for (let iteration = 1; left > 0; iteration++) {
      const phase = `iter-000${iteration}`;
      const file = join(folder, 'rollouts', `${phase}.parquet`);
      const examples = await readSelected(file, await problemsOf(name));
      const whole = Math.ceil(examples.length / 8);
      const steps = Math.min(left, whole);
      if (method === 'rest-em') policy = await host.openPolicy(warmup);
      if (method !== 'continuous') await policy.resetOptimizer(settings(steps));
      const order = random(3, `${phase}/epoch-0`).shuffle(examples);
      for (let step = 0; step < steps; step++) {
        const [from, to] = [step, step + 1].map((edge) => Math.round((edge * examples.length) / whole));
        await policy.trainStep(order.slice(from, to));
      }
      left -= steps;
    }
    const out = join(root, `twin-${method}`);
    await policy.save(out, { withTrainer: true });
    return JSON.parse(readFileSync(join(out, 'trainer.json'), 'utf8'));
  }

  const problemsOf = (name: string) =>
    loadProblems(join(root, name, 'problems/problems.json'), { imageRoot: join(root, name, 'problems/data_images') });

  test.each(['continuous', 'iterative-rft', 'rest-em'] as const)(
    'comes to the same weights and moments: %s',
    async (method) => {
      const name = `steps-${method}`;
      const last = phasesOf(name)
        .filter((phase) => phase.startsWith('iter-'))
        .at(-1);
      const made = JSON.parse(readFileSync(join(root, name, 'checkpoints', last as string, 'trainer.json'), 'utf8'));
      expect(made).toEqual(await twin(method, name));
    },
  );
});

describe('problems without answers', () => {
  test('are mixed in once the share of the optimizer steps has passed', async () => {
    const unlabelled = { answers: 'oracle', after: 0.5 } as const;
    const { iterations } = await run('late', { evolve: { ...limited, steps: 20, unlabelled } }, FIRST);
    let steps = 0;
    for (const { unlabelled: mixed, training } of iterations) {
      expect(mixed > 0).toBe(steps >= 10);
      steps += training.steps;
    }
    expect(iterations.some(({ unlabelled: mixed }) => mixed > 0)).toBe(true);
  });
});

describe('the answer', () => {
  test('is in the prompt where the warm-up samples, and never again: not in training, labelling or an iteration', async () => {
    const host = fakeHost();
    const asked: string[] = [];
    const trained = new Set<string>();
    const watching: typeof host = {
      openPolicy: async (dir) => {
        const policy = await host.openPolicy(dir);
        const [roll, step] = [policy.rollout.bind(policy), policy.trainStep.bind(policy)];
        policy.rollout = (requests, ...rest) => {
          for (const { key, variant } of requests) asked.push(`${key.split('/')[0]} ${variant}`);
          return roll(requests, ...rest);
        };
        policy.trainStep = (batch) => {
          for (const { variant } of batch) trained.add(variant);
          return step(batch);
        };
        return policy;
      },
      openScorer: async (dir, head) => {
        const scorer = await host.openScorer(dir, head);
        const step = scorer.trainStep.bind(scorer);
        scorer.trainStep = (batch) => {
          for (const { variant } of batch) trained.add(variant);
          return step(batch);
        };
        return scorer;
      },
    };
    await evolve(smallRecipe(root, 'hidden', { evolve: limited }), { host: watching });
    expect([...trained]).toEqual(['solve']);
    const given = new Set(asked.filter((one) => one.endsWith('givenAnswer')));
    expect([...given]).toEqual(['warmup givenAnswer']);
    expect(asked.some((one) => one === 'warmup solve')).toBe(false);
    expect(asked.some((one) => one === 'iter-0001 solve')).toBe(true);
  });
});

describe('the completer', () => {
  test('is the warm-up trained on, samples the labels, and becomes the PRM; the policy stays the warm-up', async () => {
    const base = smallRecipe(root, 'completer');
    const prm = { ...base.prm, completerEpochs: 3 };
    const done = await run('completer', { prm });
    expect(phasesOf('completer').slice(0, 4)).toEqual(['warmup', 'completer', 'label', 'train-prm']);
    const weights = (name: string) =>
      JSON.parse(readFileSync(join(root, 'completer/checkpoints', name, 'model.json'), 'utf8')) as { skill: number };
    expect(weights('completer').skill).toBeGreaterThan(weights('warmup').skill);
    expect(done.iterations[0]?.origin).toBe('warmup');
    const [commit] = journalOf('completer').filter(({ phase, event }) => phase === 'completer' && event === 'commit');
    expect(commit?.checkpoint).toEqual({ name: 'completer', model: 'completer' });
  });
});

describe('an out-of-domain data set', () => {
  test('tests the base, the warm-up and the last checkpoint out of domain', async () => {
    const data = {
      generate: { count: 160, families: ['bars'] },
      outOfDomain: { generate: { count: 20, families: ['dials'] } },
    };
    const done = await run('out-of-domain', { data, evolve: limited });
    expect(Object.keys(done.outOfDomain)).toEqual(['base', 'warmup', `iter-000${done.iterations.length}`]);
    expect(done.outOfDomain.base?.problems).toBe(20);
    const { outOfDomain } = JSON.parse(readFileSync(join(root, 'out-of-domain/splits.json'), 'utf8')) as {
      outOfDomain: { ids: string[] };
    };
    expect(outOfDomain.ids.every((id) => id.startsWith('dials-'))).toBe(true);
  });
});

describe('the search for a threshold', () => {
  const select = { rule: 'threshold' as const, threshold: 'search' as const, thresholds: [0.9, 0.2, 5] };
  const evolveWith = { ...limited, select };

  test('trains with each on the first problems and takes the best on validation, the lowest of equals', async () => {
    const { threshold, iterations } = await run('search', { evolve: evolveWith }, FIRST);
    const scores = threshold?.scores ?? [];
    expect(scores.map((score) => score.threshold)).toEqual([0.2, 0.9, 5]);
    // Nothing reaches the last.
    expect(scores[2]).toMatchObject({ selected: 0, steps: 0, accuracy: null });
    expect((scores[0]?.selected ?? 0) >= (scores[1]?.selected ?? 0)).toBe(true);
    const best = Math.max(...scores.map(({ accuracy }) => accuracy ?? -1));
    expect(threshold?.chosen).toBe(scores.find(({ accuracy }) => accuracy === best)?.threshold);
    expect(threshold?.tied).toEqual(scores.filter(({ accuracy }) => accuracy === best).map((score) => score.threshold));
    // The first iteration starts from the warm-up as if there had been no search.
    expect(iterations[0]?.origin).toBe('warmup');
    expect(stepsOf('search', 'iter-')[0]?.version).toBe(1);
    expect(stepsOf('search', 'search-')).toEqual([]);
  });

  test('leaves the bytes of the journal alone when it is stopped and goes on', async () => {
    const stop = new AbortController();
    let trained = 0;
    const host = fakeHost();
    const counting: typeof host = {
      ...host,
      openPolicy: async (dir) => {
        const policy = await host.openPolicy(dir);
        const step = policy.trainStep.bind(policy);
        policy.trainStep = async (batch) => {
          if (dir.endsWith('warmup') && ++trained === 3) stop.abort();
          return step(batch);
        };
        return policy;
      },
    };
    const recipe = smallRecipe(root, 'search-stopped', { evolve: evolveWith });
    const from = join(root, FIRST);
    await expect(evolve(recipe, { host: counting, signal: stop.signal, from })).rejects.toThrow();
    await evolve(recipe, { host: fakeHost(), from });
    expect(readFileSync(join(root, 'search-stopped/journal.jsonl'), 'utf8')).toBe(
      readFileSync(join(root, 'search/journal.jsonl'), 'utf8'),
    );
  });
});

describe('a run that begins with the phases of another', () => {
  test('has the bytes of one that did them itself', async () => {
    const evolveWith = { ...limited, method: 'rest-em' } as const;
    await run('alone', { evolve: evolveWith });
    await run('shared', { evolve: evolveWith }, FIRST);
    const same = [
      'config.yaml',
      'journal.jsonl',
      'labels.jsonl',
      'splits.json',
      'rollouts/iter-0001.parquet',
      'checkpoints/prm/model.json',
    ];
    for (const file of same) {
      expect(readFileSync(join(root, 'shared', file)).equals(readFileSync(join(root, 'alone', file)))).toBe(true);
    }
    // A file of both, not a copy.
    const inode = (name: string) => statSync(join(root, name, 'labels.jsonl')).ino;
    expect(inode('shared')).toBe(inode(FIRST));
  });

  test('leaves the dynamics to itself where it measures them otherwise', async () => {
    const dynamics = { samples: 4, temperatures: [0.6, 1] };
    const { dynamics: standings } = await run('measured', { evolve: limited, dynamics }, FIRST);
    expect(standings[0]?.samples.map(({ temperature }) => temperature)).toEqual([0.6, 1]);
  });

  test('refuses a run whose warm-up is another, by the setting, and leaves no folder', async () => {
    await expect(run('unlike', { seed: 5 }, FIRST)).rejects.toThrow(
      `${join(root, FIRST)}: seed: another value, wanted the same in both runs`,
    );
    expect(existsSync(join(root, 'unlike'))).toBe(false);
    const { warmup, run: folder } = smallRecipe(root, 'unlike');
    const both = { run: { ...folder, checkpointEvery: 5 }, warmup: { ...warmup, samples: 5 }, evolve: limited };
    await expect(run('unlike', both, FIRST)).rejects.toThrow('warmup.samples: another value');
    await expect(run('nothing', {}, 'nowhere')).rejects.toThrow('nowhere: run: no config.yaml');
  });
});
