// The whole loop on a simulated learner, without the engine: what each phase of the recipe does with its results.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Summary } from '../../src/evolve/summary.js';
import { evolve } from '../../src/jobs/jobs.js';
import { exportLines } from '../../src/label/export.js';
import { readLabels } from '../../src/record/labels.js';
import { queryRollouts } from '../../src/record/query.js';
import type { TemperatureDecision } from '../../src/record/results.js';
import type { JournalEvent } from '../../src/run/journal.js';
import { compareRuns, readRuns } from '../../src/views/compare/comparison.js';
import { listRuns } from '../../src/views/run/runs.js';
import { fakeHost } from '../fakes/host.js';
import { smallRecipe } from './recipe.js';

let root: string;
let run: string;
let summary: Summary;
let journal: JournalEvent[];

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'mstar-evolve-'));
  run = join(root, 'run');
  summary = await evolve(smallRecipe(root, 'run'), { host: fakeHost() });
  journal = readFileSync(join(run, 'journal.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as JournalEvent);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function query(sql: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql)).getRowObjectsJS();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

const table = (name: string): string => `'${join(run, 'rollouts', name)}.parquet'`;

describe('evolve', () => {
  test('raises the accuracy on problems it never trained on', () => {
    const accuracies = Object.values(summary.test).map(({ accuracy }) => accuracy);
    expect(accuracies[1]).toBeGreaterThan(accuracies[0] as number);
    expect(accuracies.at(-1)).toBeGreaterThan((accuracies[1] as number) + 0.05);
  });

  test('commits the phases in the order of the recipe', () => {
    const phases = journal.filter(({ event }) => event === 'commit').map(({ phase }) => phase);
    const iterations = [1, 2, 3].flatMap((i) => [`iter-000${i}`, `dynamics-000${i}`, `test-iter-000${i}`]);
    const before = ['warmup', 'label', 'train-prm', 'test-base', 'test-warmup', 'dynamics-0000'];
    expect(phases).toEqual([...before, ...iterations, 'test-final']);
  });

  test('exports its labels and the responses that it trained on, each once', async () => {
    const lines = async (form: 'visualprm' | 'stepwise' | 'messages') => {
      const all: Record<string, unknown>[] = [];
      for await (const line of exportLines(run, form)) all.push(JSON.parse(line) as Record<string, unknown>);
      return all;
    };
    const labels = await readLabels(join(run, 'labels.jsonl'));
    const soft = await lines('visualprm');
    expect(soft.map(({ id }) => id).sort()).toEqual(labels.map(({ problem, sample }) => `${problem}/${sample}`).sort());
    const scores = soft.flatMap(({ steps_with_score: steps }) =>
      (steps as { score: number }[]).map(({ score }) => score),
    );
    const wanted = labels.flatMap(({ steps }) => steps.map(({ label }) => label));
    expect([...scores].sort()).toEqual([...wanted].sort());
    const hard = await lines('stepwise');
    expect(hard.map(({ labels: own }) => (own as boolean[]).filter(Boolean).length)).toEqual(
      soft.map(({ steps_with_score: steps }) => (steps as { score: number }[]).filter(({ score }) => score > 0).length),
    );
    const [{ trained }] = (await query(
      `select count(*) filter (selected) as trained from read_parquet([${['warmup', 'iter-0001', 'iter-0002', 'iter-0003'].map(table)}])`,
    )) as [{ trained: bigint }];
    expect(await lines('messages')).toHaveLength(Number(trained));
  });

  test('balances the labelled pairs: right and wrong, multiple choice and free form, 1 : 1', () => {
    const { pairs, right, multipleChoice } = summary.labels as NonNullable<Summary['labels']>;
    expect(pairs).toBeGreaterThan(20);
    expect([right, multipleChoice]).toEqual([pairs / 2, pairs / 2]);
  });

  test('labels the last step of a finished response with its own grade and the others with shares of four', async () => {
    const labels = await readLabels(join(run, 'labels.jsonl'));
    expect(labels.length).toBe(summary.labels?.pairs);
    for (const { verdict, steps } of labels) {
      expect(steps.at(-1)?.label).toBe(verdict === 'correct' ? 1 : 0);
      for (const { label } of steps) expect(Number.isInteger(label * 4)).toBe(true);
    }
    const mean = (right: boolean): number => {
      const some = labels.flatMap(({ steps }) => steps.slice(0, -1)).filter((step) => step.right === right);
      return some.reduce((sum, { label }) => sum + label, 0) / some.length;
    };
    expect(mean(true)).toBeGreaterThan(mean(false));
  });

  test('trains a PRM that tells sound steps from others', () => {
    expect(summary.prm?.lastLoss).toBeLessThan((summary.prm?.firstLoss ?? 0) / 2);
    expect(summary.final?.steps?.auc).toBeGreaterThan(0.9);
  });

  test('selects at most the two right responses of highest reward', async () => {
    const rows = await query(`
      select problem, count(*) filter (selected) as chosen, bool_and(verdict = 'correct') filter (selected) as right, bool_and((reward is not null) = (verdict = 'correct')) as scored,
        min(reward) filter (selected) as least, count(*) filter (verdict = 'correct') as available,
        max(reward) filter (not selected and verdict = 'correct') as best_left
      from ${table('iter-0001')} group by problem`);
    expect(rows).toHaveLength(24);
    for (const { chosen, right, scored, least, available, best_left } of rows) {
      expect(Number(chosen)).toBe(Math.min(2, Number(available)));
      expect(scored).toBe(true);
      if (Number(chosen) > 0) expect(right).toBe(true);
      if (Number(chosen) === 2 && best_left !== null) expect(Number(least)).toBeGreaterThanOrEqual(Number(best_left));
    }
    const selected = rows.reduce((sum, { chosen }) => sum + Number(chosen), 0);
    expect(selected).toBe(summary.iterations[0]?.choice.selected);
  });

  test('chooses fewer wrong chains than it finds among the right answers', () => {
    const lucky = summary.iterations.flatMap((iteration) => iteration.lucky ?? []);
    const mean = (side: 'before' | 'after'): number => lucky.reduce((sum, one) => sum + one[side], 0) / lucky.length;
    expect(mean('before')).toBeGreaterThan(0.05);
    expect(mean('after')).toBeLessThan(mean('before') / 2);
  });

  test('goes through all labelled problems before it repeats one', async () => {
    const rows = await query(`
      select problem from read_parquet([${[1, 2, 3].map((i) => table(`iter-000${i}`)).join()}]) group by problem`);
    expect(rows).toHaveLength(summary.problems.labelled);
    expect(summary.iterations.map(({ epoch }) => epoch)).toEqual([0, 0, 0]);
  });

  test('keeps one optimizer over all iterations: its steps count on', () => {
    const steps = journal.filter(({ event, phase }) => event === 'step' && String(phase).startsWith('iter-'));
    expect(steps.map(({ version }) => version)).toEqual(steps.map((_, i) => i + 1));
    const lr = steps.map((step) => step.lr as number);
    expect(lr[0]).toBeLessThan(lr.at(-1) as number);
    expect(lr.at(-1)).toBeCloseTo(0.06, 12);
  });

  test('chooses the temperature every two iterations, the lower of equals, and samples the next iteration with it', () => {
    const decisions = summary.dynamics.map(({ decision }) => decision);
    expect(decisions.map((decision) => decision !== null)).toEqual([false, false, true, false]);
    const decision = decisions[2] as TemperatureDecision;
    expect(decision.scores.map(({ temperature }) => temperature)).toEqual([0.6, 1, 1.4]);
    const best = Math.max(...decision.scores.map(({ rewardPassAt2 }) => rewardPassAt2 ?? Number.NaN));
    expect(decision.chosen).toBe(decision.scores.find(({ rewardPassAt2 }) => rewardPassAt2 === best)?.temperature);
    expect(summary.iterations.map(({ temperature }) => temperature)).toEqual([1, 1, decision.chosen]);
    expect(summary.final?.samples.temperature).toBe(decision.chosen);
  });

  test('reports Pass@K above greedy accuracy by the gap, and Reward-Pass@2 no higher than Pass@K', () => {
    for (const { greedy, samples } of summary.dynamics) {
      for (const { passAtK, gap, rewardPassAt2 } of samples) {
        expect(gap).toBeCloseTo(passAtK - greedy.accuracy, 12);
        expect(rewardPassAt2).toBeLessThanOrEqual(passAtK);
      }
    }
  });

  test('counts the tokens of every phase as the files hold them', async () => {
    const [row] = await query(`select sum(len(tokens)) as tokens from ${table('iter-0002')}`);
    expect(Number(row?.tokens)).toBe(summary.phases['iter-0002']?.tokens.sampled);
    const trained = journal.filter(({ event, phase }) => event === 'step' && phase === 'iter-0002');
    expect(trained.reduce((sum, { tokens }) => sum + (tokens as number), 0)).toBe(
      summary.phases['iter-0002']?.tokens.trained,
    );
    expect(summary.phases['iter-0002']?.seconds).toBeGreaterThan(0);
  });

  test('samples around problems that cannot be sampled, records them and goes on', async () => {
    const ids = (
      await query(`select problem from ${table('iter-0001')} group by problem order by problem limit 2`)
    ).map((row) => String(row.problem));
    const said: string[] = [];
    const display = { show() {}, say: (text: string) => said.push(text), close() {} };
    const result = await evolve(smallRecipe(root, 'broken'), { host: fakeHost({ broken: new Set(ids) }), display });
    expect(result.iterations[0]?.choice).toMatchObject({ problems: 24, failed: 2, sampled: 22 * 6 });
    expect(said).toContain(`problem ${ids[0]}: ${ids[0]}.png: picture: damaged, wanted a PNG`);
    const rows = await query(
      `select problem, reason, sample from '${join(root, 'broken/rollouts/iter-0001.parquet')}' where verdict = 'error' order by problem`,
    );
    expect(rows).toEqual(
      ids.map((problem) => ({ problem, reason: `${problem}.png: picture: damaged, wanted a PNG`, sample: null })),
    );
  });

  test('refuses a changed setting by its name, once work is kept', async () => {
    const changed = smallRecipe(root, 'run', { seed: 4 });
    await expect(evolve(changed, { host: fakeHost() })).rejects.toThrow(/config\.yaml: seed: 4 now, wanted 3/);
  });

  test('writes nothing where the model cannot be opened', async () => {
    const recipe = smallRecipe(root, 'no-model');
    const bad = { ...recipe, model: { path: join(root, 'absent') } };
    await expect(evolve(bad, { host: fakeHost() })).rejects.toThrow('model.json: missing');
    expect(() => readFileSync(join(root, 'no-model', 'config.yaml'))).toThrow('ENOENT');
  });
});

describe('runs as a whole', () => {
  test('are listed with where they stand and what they came to', async () => {
    const [line, ...rest] = (await listRuns(root)).filter(({ name }) => name === 'run');
    expect(rest).toEqual([]);
    const accuracies = Object.values(summary.test).map(({ accuracy }) => accuracy);
    expect(line).toMatchObject({
      method: 'continuous',
      iterations: '3/3',
      first: accuracies[0],
      last: accuracies.at(-1),
      state: 'finished',
    });
    expect(await listRuns(join(root, 'run'))).toEqual([line]);
    await expect(listRuns(join(root, 'nowhere'))).rejects.toThrow('no such file or folder');
  });

  test('are asked in SQL, every table of the folder as one; nothing else can be reached', async () => {
    const { columns, rows } = await queryRollouts(
      run,
      'select phase, count(*) as n from rollouts group by phase order by phase',
    );
    expect(columns).toEqual(['phase', 'n']);
    const wanted = await query(`select count(*) as n from read_parquet('${join(run, 'rollouts')}/*.parquet')`);
    expect(rows.reduce((sum, { n }) => sum + Number(n), 0)).toBe(Number(wanted[0]?.n));
    expect(rows.map(({ phase }) => phase)).toContain('iter-0001');
    await expect(queryRollouts(run, 'select nothing from rollouts')).rejects.toThrow(/^query: .*nothing/);
    await expect(queryRollouts(run, `select * from read_text('${join(run, 'config.yaml')}')`)).rejects.toThrow(
      /^query: /,
    );
    await expect(queryRollouts(run, `copy rollouts to '${join(root, 'x.csv')}'`)).rejects.toThrow(/^query: /);
    await expect(queryRollouts(root, 'select 1')).rejects.toThrow('no Parquet table');
  });

  test('two of them are compared by the settings in which they differ and by their tests', async () => {
    await evolve(
      smallRecipe(root, 'other', {
        seed: 4,
        evolve: { iterations: 1, interval: 24, n: 4, optimizer: { lr: 0.06, batchSize: 8, weightDecay: 0 } },
      }),
      { host: fakeHost() },
    );
    const { settings, test: tests } = compareRuns(await readRuns([run, join(root, 'other')]));
    expect(settings).toEqual([
      ['evolve.iterations', '3', '1'],
      ['evolve.n', '6', '4'],
      ['seed', '3', '4'],
    ]);
    expect(tests.map(([at]) => at)).toEqual(['base', 'warmup', 'iter-0001', 'iter-0002', 'iter-0003']);
    expect(tests.at(-1)?.[2]).toBeNull();
    expect(tests[0]?.[1]).toBe(summary.test.base?.accuracy);
  });
});

describe('what goes on from one iteration to the next', () => {
  const two = {
    iterations: 2,
    interval: '38%' as const,
    n: 6,
    optimizer: { lr: 0.06, batchSize: 8, weightDecay: 0, warmupRatio: 0.5 },
  };
  const journalOf = (name: string) =>
    readFileSync(join(root, name, 'journal.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as JournalEvent & Record<string, unknown>);
  const steps = (name: string, phase: string) =>
    journalOf(name).filter((event) => event.event === 'step' && event.phase === phase);

  test.each([
    ['continuous', 'iter-0001', false],
    ['iterative-rft', 'iter-0001', true],
    ['rest-em', 'warmup', true],
  ] as const)('%s: the second iteration starts from %s', async (method, origin, fresh) => {
    const done = await evolve(smallRecipe(root, method, { evolve: { ...two, method } }), { host: fakeHost() });
    expect(done.iterations.map((one) => one.origin)).toEqual(['warmup', origin]);
    const [first, second] = [steps(method, 'iter-0001'), steps(method, 'iter-0002')];
    expect(first[0]?.version).toBe(1);
    expect(second[0]?.version).toBe(fresh ? 1 : (first.at(-1)?.version as number) + 1);
    // A fresh schedule warms up again; an inherited one goes on.
    expect((second[0]?.lr as number) < (first.at(-1)?.lr as number)).toBe(fresh);
    // 38 % of 64 labelled problems.
    expect(done.iterations[0]?.choice.problems).toBe(24);
    const { kept, problems, selected } = done.iterations[0]?.choice ?? { kept: [], problems: 0, selected: 0 };
    expect(kept.reduce((sum, count) => sum + count, 0)).toBe(problems);
    expect(kept.reduce((sum, count, responses) => sum + count * responses, 0)).toBe(selected);
  });

  test('pseudo labels bring in problems without answers; the oracle uses their answers', async () => {
    const small = { ...two, optimizer: { ...two.optimizer, warmupRatio: 0 } };
    const run = (name: 'pseudo' | 'oracle') =>
      evolve(smallRecipe(root, name, { evolve: { ...small, unlabelled: { answers: name, after: 0.5 } } }), {
        host: fakeHost(),
      });
    const [pseudo, oracle] = [await run('pseudo'), await run('oracle')];
    for (const done of [pseudo, oracle]) expect(done.iterations.map(({ choice }) => choice.problems)).toEqual([24, 24]);
    const votes = journalOf('pseudo').filter(({ event }) => event === 'pseudo');
    expect(votes).toMatchObject([{ phase: 'iter-0002', problems: 12 }]);
    expect(votes[0]?.voted as number).toBeGreaterThan(0);
    expect(votes[0]?.right as number).toBeLessThanOrEqual(votes[0]?.voted as number);
    expect(journalOf('oracle').some(({ event }) => event === 'pseudo')).toBe(false);
  });
});
