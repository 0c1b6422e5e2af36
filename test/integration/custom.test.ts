// What a program puts in place of parts of a job: rewards, selection, problems, and hooks around phases. On the fake learner.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ConfigInput } from '../../src/config/schema.js';
import type { Problem } from '../../src/core/types.js';
import { evolve, openRun, type RecipeOptions, rollout, type SelectFunction, UserError } from '../../src/index.js';
import { loadProblems, writeProblems } from '../../src/library/data.js';
import { grade } from '../../src/library/grade.js';
import { fakeHost, writeFakeModel } from '../fakes/host.js';
import { smallRecipe } from './recipe.js';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'mstar-custom-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function recipe(name: string, more: Partial<ConfigInput['evolve']> = {}): ConfigInput {
  const base = smallRecipe(root, name);
  return { ...base, evolve: { ...base.evolve, iterations: 1, ...more } };
}
const run = (settings: ConfigInput, options: RecipeOptions = {}) => evolve(settings, { host: fakeHost(), ...options });
const jsonLines = (file: string) =>
  readFileSync(join(root, file), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

/** The rule `top` with k = 2 where repeats are dropped, as a program would write it. */
const bestTwo: SelectFunction = (_, candidates) => {
  const texts = new Set<string>();
  return candidates
    .filter(({ grade: { verdict }, response }) => {
      const isNew = verdict === 'correct' && !texts.has(response.text);
      if (isNew) texts.add(response.text);
      return isNew;
    })
    .sort((a, b) => (b.reward ?? 0) - (a.reward ?? 0))
    .slice(0, 2)
    .map(({ sample }) => sample);
};

const circle: { self?: unknown } = {};
circle.self = circle;
const changing: RecipeOptions['reward'] = (problem) => {
  (problem as { answer: string }).answer = '7';
  return 1;
};
const adding: RecipeOptions['reward'] = ({ choices }) => (choices as string[]).push('another');

describe('a run with functions of its own', () => {
  test('that judge and choose as ours do comes to the same', async () => {
    const dropping = { select: { repeats: 'drop' as const } };
    const plain = await run(recipe('plain', dropping));
    const seen = new Set<string>();
    const reward: RecipeOptions['reward'] = async (problem, { text, tokens }) => {
      expect(tokens.length).toBeGreaterThan(0);
      seen.add(problem.id);
      return grade(problem, text).verdict === 'correct' ? 1 : 0;
    };
    const own = await run(recipe('own', dropping), { reward, select: bestTwo });
    const { phases: _, totals: __, ...expected } = plain;
    expect(own).toMatchObject(
      JSON.parse(JSON.stringify(expected, (key, value) => (key === 'unreadable' ? undefined : value))),
    );
    expect(seen.size).toBeGreaterThan(100);
    const kept = readFileSync(join(root, 'own/config.yaml'), 'utf8');
    expect(kept).toMatch(/custom:\n {2}reward: reward [0-9a-f]{16}\n {2}select: bestTwo [0-9a-f]{16}\n$/);
    const opened = await openRun(join(root, 'own'));
    expect(opened.state).toBe('finished');
    expect(await opened.report()).toBe(join(root, 'own/report.html'));
  });

  test('trains on nothing where every weight is 0, and the other way where they are negative', async () => {
    const skill = (name: string): number =>
      JSON.parse(readFileSync(join(root, name, 'checkpoints/iter-0001/trainer.json'), 'utf8')).weights.skill;
    const weighing = (weight: number): RecipeOptions => ({
      identity: 'weighing',
      select: async (...given) => (await bestTwo(...given)).map((sample) => ({ sample: sample as number, weight })),
    });
    const skills: number[] = [];
    for (const weight of [-1, 0, 1]) {
      const name = `weight${weight}`;
      await run(recipe(name), weighing(weight));
      skills.push(skill(name));
    }
    const warmup = JSON.parse(readFileSync(join(root, 'weight0/checkpoints/warmup/model.json'), 'utf8')).skill;
    expect(skills[1]).toBe(warmup);
    expect(skills[0]).toBeLessThan(warmup);
    expect(skills[2]).toBeGreaterThan(warmup);
  });

  test('goes on with the same functions only', async () => {
    const settings = recipe('identity');
    await run(settings, { until: 'warmup', reward: () => 'correct', identity: 'all right' });
    const others: [RecipeOptions, string][] = [
      [{}, 'not set'],
      [{ reward: () => 'correct' }, '"reward '],
      [{ reward: () => 'correct', identity: 'other' }, '"other"'],
    ];
    for (const [options, now] of others) {
      const failure = await run(settings, { ...options, until: 'warmup' }).catch((error: unknown) => error);
      expect(failure).toMatchObject({ name: 'UserError', code: 'ERR_RUN' });
      expect((failure as Error).message).toContain(`custom.reward: ${now}`);
      expect((failure as Error).message).toContain('wanted "all right" as in the run it holds');
    }
    await run(settings, { until: 'warmup', reward: () => 'correct', identity: 'all right' });
  });

  test.each<[string, RecipeOptions, string]>([
    ['a reward that throws', { reward: () => Promise.reject(new Error('no answer')) }, 'threw no answer'],
    ['a reward out of range', { reward: () => 7 }, '7, wanted a number from 0 to 1 or correct, wrong, unreadable'],
    ['another reward', { reward: () => 'right' as never }, '"right", wanted a number'],
    ['a reward of another type', { reward: () => 1n as never }, '1, wanted a number'],
    ['a reward of a circle', { reward: () => circle as never }, 'a value of too many levels, wanted a number'],
    ['no reward', { reward: () => undefined as never }, 'undefined, wanted a number'],
    ['a reward that changes the problem', { reward: changing }, "threw Cannot assign to read only property 'answer'"],
    ['a reward that adds a choice', { reward: adding }, 'threw Cannot add property'],
    ['a selection of another type', { select: () => [1n as never] }, '1, wanted a sample'],
    ['a reward without source', { reward: Math.max as never }, 'wanted identity beside it'],
    ['a selection that throws', { select: () => JSON.parse('{') }, 'threw '],
    ['a selection of no list', { select: () => 1 as never }, '1, wanted a list of samples'],
    ['a sample that is not there', { select: () => [99] }, '99, wanted a sample of its candidates (0,'],
    ['a sample twice', { select: (_, [one]) => [one?.sample ?? 0, one?.sample ?? 0] }, 'wanted each sample once'],
    ['no weight', { select: (_, [one]) => [{ sample: one?.sample ?? 0, weight: Number.NaN }] }, 'wanted a weight'],
  ])('%s ends it by name', async (name, options, message) => {
    const failure = await run(recipe(`fails ${name}`), options).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(UserError);
    const isAsked = name !== 'a reward without source';
    expect(failure).toMatchObject({ code: isAsked ? 'ERR_FUNCTION' : 'ERR_SETTING' });
    expect((failure as Error).message).toMatch(/^(reward|select): (problem \S+:|a function without)/);
    expect((failure as Error).message).toContain(message);
  });

  test('that never answer ends as soon as it is told to, whichever of them it waits for, and goes on afterwards', async () => {
    const settings = recipe('waits');
    const plain = await run(recipe('answers'));
    for (const waiting of ['before', 'reward', 'after', 'select'] as const) {
      const stop = new AbortController();
      const never = (): Promise<never> => {
        setTimeout(() => stop.abort('enough'), 10);
        return new Promise(() => {});
      };
      const { signal } = stop;
      const identity = 'waits';
      const select = waiting === 'select' ? never : bestTwo;
      const reward: RecipeOptions['reward'] =
        waiting === 'reward' ? never : (problem, { text }) => grade(problem, text).verdict;
      const hooks = waiting === 'before' || waiting === 'after' ? { [waiting]: never } : {};
      const failure = await run(settings, { signal, identity, select, reward, hooks }).catch((error) => error);
      expect(failure, waiting).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: 'enough' });
    }
    const reward: RecipeOptions['reward'] = (problem, { text }) => grade(problem, text).verdict;
    const { test } = await run(settings, { identity: 'waits', select: bestTwo, reward });
    expect(test).toEqual(plain.test);
  });

  test('that selects nothing is told of its own selection', async () => {
    await expect(run(recipe('nothing'), { select: () => [] })).rejects.toThrow(
      /^select: none of 144 responses in one iteration was selected, wanted at least one \(\d+ are right: change select\)$/,
    );
  });

  test('is refused a selection that nothing would ask', async () => {
    const select = (): number[] => [];
    const search = recipe('refused', { select: { rule: 'threshold', threshold: 'search' } });
    await expect(run(search, { select })).rejects.toThrow('select: given with a search for evolve.select.threshold');
    const sft = recipe('refused', { method: 'sft', steps: 4, iterations: 0 });
    await expect(run(sft, { select })).rejects.toThrow('select: given with evolve.method sft');
  });
});

describe('hooks', () => {
  test('are called around each phase that a call does, are awaited, and end it by throwing', async () => {
    const settings = recipe('hooks');
    const calls: string[] = [];
    const before = async (phase: string): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      calls.push(`before ${phase}`);
    };
    const stopping = {
      before,
      after: (phase: string): void => {
        calls.push(`after ${phase}`);
        if (phase === 'label') throw new Error('enough');
      },
    };
    await expect(run(settings, { hooks: stopping })).rejects.toThrow('enough');
    expect(calls).toEqual(['before warmup', 'after warmup', 'before label', 'after label']);
    calls.length = 0;
    const results = new Map<string, unknown>();
    await run(settings, { hooks: { before, after: (phase, result) => void results.set(phase, result) } });
    expect(calls[0]).toBe('before train-prm');
    expect(calls.map((call) => call.replace('before ', ''))).toEqual([...results.keys()]);
    const { prm, iterations } = await (await openRun(join(root, 'hooks'))).summary();
    expect(results.get('train-prm')).toEqual(prm);
    expect(iterations[0]).toMatchObject(results.get('iter-0001') as object);
  });
});

describe('problems of a program', () => {
  let model: string;
  let problems: Problem[];
  let settings: { model: string; n: number; chunk: number; threads: number };
  beforeAll(async () => {
    model = join(root, 'model');
    writeFakeModel(model);
    const { file, imageRoot } = await writeProblems(join(root, 'data'), { count: 12, seed: 5 });
    problems = await loadProblems(file, { imageRoot });
    settings = { model, n: 2, chunk: 4, threads: 1 };
    await rollout({ ...settings, data: file, imageRoot, out: join(root, 'of-file') }, { host: fakeHost() });
  });
  const sample = (out: string, options: object) =>
    rollout({ ...settings, out: join(root, out) }, { host: fakeHost(), ...options });

  test('are sampled as those of a file, from a list or an iterable that is asked for no more than is taken', async () => {
    let given = 0;
    async function* stream(): AsyncGenerator<Problem> {
      for (const problem of problems) {
        given++;
        yield problem;
      }
    }
    await sample('of-list', { problems });
    await sample('of-stream', { problems: stream() });
    expect(jsonLines('of-stream/rollouts.jsonl')).toEqual(jsonLines('of-file/rollouts.jsonl'));
    expect(jsonLines('of-list/rollouts.jsonl')).toEqual(jsonLines('of-file/rollouts.jsonl'));
    given = 0;
    const some = { ...settings, out: join(root, 'limited'), limit: 3 };
    expect(await rollout(some, { host: fakeHost(), problems: stream() })).toMatchObject({ problems: 3 });
    expect(given).toBe(3);
  });

  test('must be the same ones when a job goes on', async () => {
    await expect(sample('of-list', { problems: problems.slice(1) })).rejects.toThrow('problems: ');
    await sample('of-list', { problems });
  });

  test('are cut into the parts of a recipe', async () => {
    const { file, imageRoot } = await writeProblems(join(root, 'recipe-data'), { count: 160, seed: 3 });
    const { data: _, ...rest } = recipe('given');
    const whole = await loadProblems(file, { imageRoot });
    const summary = await evolve(rest, { host: fakeHost(), problems: whole, until: 'warmup' });
    expect(summary.problems).toMatchObject({ test: 60, validation: 24 });
    expect(readFileSync(join(root, 'given/config.yaml'), 'utf8')).toContain('file: mstar:given');
  });

  test.each<[string, unknown, string]>([
    ['without a question', [{ answer: '1' }], 'problems:1: question: missing, wanted a value of type string'],
    ['misspelt', [{ question: 'q', anwser: '1' }], 'problems:1: anwser: unknown, did you mean answer?'],
    ['misspelt besides', [{ question: 'q', answer: 1, image: [] }], 'problems:1: image: unknown, did you mean images?'],
    ['of one id', [1, 2].map(() => ({ question: 'q', answer: 1, id: 7 })), 'problems:2: id: "7" again, wanted a new'],
    ['none', [], 'problems: none that count'],
  ])('that are %s are refused by name', async (name, given, message) => {
    const failure: Error = await sample(`refused ${name}`, { problems: given }).catch((error) => error);
    expect(failure.message.slice(0, message.length)).toBe(message);
  });

  test('are refused beside a data set', async () => {
    const both = { ...settings, data: 'x.json', out: join(root, 'both') };
    await expect(rollout(both, { problems })).rejects.toThrow('data: given beside problems, wanted one of them');
  });
});
