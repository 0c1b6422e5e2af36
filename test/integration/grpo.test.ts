// The method grpo in whole runs: on the fake learner what it samples, learns from and records, on the native engine that kills,
// ranks and threads change no byte.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { ConfigInput } from '../../src/config/schema.js';
import type { PolicyObjective } from '../../src/core/types.js';
import { evolve, openRun, type RecipeOptions } from '../../src/index.js';
import { writeDurable } from '../../src/run/durable.js';
import { writeReport } from '../../src/views/run/report.js';
import { fakeHost } from '../fakes/host.js';
import { fingerprint } from './folders.js';
import { project, startMstar } from './ranks-job.js';
import { smallRecipe } from './recipe.js';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'mstar-grpo-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const optimizer = { lr: 0.06, batchSize: 24, weightDecay: 0 };
const recipe = (name: string, grpo: NonNullable<ConfigInput['evolve']>['grpo'] = {}): ConfigInput =>
  smallRecipe(root, name, {
    evolve: { method: 'grpo', iterations: 4, interval: 24, n: 6, optimizer, grpo },
    explore: { adaptive: false },
  });
const linesOf = (name: string) =>
  readFileSync(join(root, name, 'journal.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

/** The fake host, telling of every step which problems it was on, and by which objective. */
function watched(seen: { problems: string[]; objective: PolicyObjective | undefined; reference: boolean }[]) {
  const host = fakeHost();
  const watching: RecipeOptions['host'] = {
    ...host,
    async openPolicy(dir) {
      const policy = await host.openPolicy(dir);
      const step = policy.trainStep.bind(policy);
      policy.trainStep = (batch, objective) => {
        const reference = batch.every(({ sampled }) => sampled?.reference !== undefined);
        seen.push({ problems: batch.map(({ problem }) => problem.id), objective, reference });
        return step(batch, objective);
      };
      return policy;
    },
  };
  return watching;
}

describe('a run of the method grpo', () => {
  test('learns from right and wrong responses, without a PRM, and records what it goes by', async () => {
    const seen: Parameters<typeof watched>[0] = [];
    const { iterations, dynamics, prm } = await evolve(recipe('plain'), { host: watched(seen) });
    expect(prm).toBe(null);
    expect(dynamics.at(-1)?.greedy.accuracy).toBeGreaterThan(dynamics[0]?.greedy.accuracy ?? 1);
    const steps = seen.filter(({ objective }) => objective);
    const wanted = { temperature: 1, clipLow: 0.2, clipHigh: 0.2, kl: 0, aggregation: 'token', length: 400 };
    for (const { objective, reference } of steps) expect([objective, reference]).toEqual([wanted, false]);
    expect(steps).toHaveLength(iterations.reduce((sum, { training }) => sum + training.steps, 0));
    for (const { problems } of steps) {
      // Responses to a question stay together: no question comes twice in a step.
      const starts = problems.filter((id, i) => id !== problems[i - 1]);
      expect(new Set(starts).size).toBe(starts.length);
    }
    for (const { choice } of iterations) {
      const { groups, kept, selected, sampled, correct } = choice;
      expect(selected).toBe(6 * (kept[6] ?? 0));
      expect(groups?.flat).toBe(kept[0]);
      expect(groups?.reward).toBeCloseTo(correct / sampled, 12);
    }
    const journal = linesOf('plain').filter(({ event, phase }) => event === 'step' && phase.startsWith('iter-'));
    expect(journal).toHaveLength(steps.length);
    for (const line of journal) expect(line).toMatchObject({ clipShare: 0, kl: 0, mismatchMean: 0, mismatchMax: 0 });
    const versions = journal.map(({ version }) => version);
    expect(versions).toEqual(versions.map((_, i) => i + 1));
  });

  test('shows its curves in the report, in SQL and as metrics', async () => {
    const report = readFileSync(await writeReport(join(root, 'plain')), 'utf8');
    for (const id of ['groups-reward', 'groups-flat', 'groups-tokens', 'policy-clip', 'policy-kl', 'policy-mismatch'])
      expect(report).toContain(`id="${id}-title"`);
    expect(report).toContain('all responses to questions that have better and worse ones');
    const run = await openRun(join(root, 'plain'));
    const { rows } = await run.query("select max(mismatch_max) as most from steps where phase like 'iter-%'");
    expect(rows).toEqual([{ most: 0 }]);
  });

  test('takes the log-probabilities of its first checkpoint where it has a divergence', async () => {
    const seen: Parameters<typeof watched>[0] = [];
    await evolve(recipe('kl', { kl: 0.1 }), { host: watched(seen) });
    const steps = seen.filter(({ objective }) => objective);
    for (const { objective, reference } of steps) expect([objective?.kl, reference]).toEqual([0.1, true]);
    expect(
      linesOf('kl').find(({ event, phase }) => event === 'commit' && phase === 'iter-0002')?.tokens.scored,
    ).toBeGreaterThan(0);
  });

  test('takes rewards from a function and from the PRM', async () => {
    const reward: RecipeOptions['reward'] = ({ answer }, { text }) => (text.includes(answer) ? 0.75 : 0.25);
    const { iterations } = await evolve(recipe('custom'), { host: fakeHost(), reward });
    for (const { choice } of iterations) expect(choice.groups?.reward).toBeGreaterThanOrEqual(0.25);
    const scored = await evolve(recipe('scored', { prm: 0.5 }), { host: fakeHost() });
    expect(scored.prm).not.toBe(null);
    const { choice } = scored.iterations[0] ?? {};
    expect(choice?.groups?.reward).toBeGreaterThan((choice?.correct ?? 0) / (choice?.sampled ?? 1));
  });

  test('refuses a selection of a program, which nothing would ask', async () => {
    const select = () => [];
    await expect(evolve(recipe('select'), { host: fakeHost(), select })).rejects.toThrow(
      'select: given with evolve.method grpo',
    );
  });
});

test('on the native engine ends with the same bytes when killed, over two processes and with other threads', {
  timeout: 300_000,
}, async () => {
  const small = { lr: 1e-4, batchSize: 8 };
  const native = {
    run: { chunk: 4, checkpointEvery: 1 },
    model: { path: join(project, 'assets/tiny-internvl2'), threads: 1 },
    prompt: { system: 'Solve.' },
    data: { generate: { count: 60 } },
    splits: { validation: 4, test: 4, labelled: 0.6 },
    sampling: { maxTokens: 64 },
    warmup: { enabled: false },
    evolve: {
      method: 'grpo',
      iterations: 2,
      interval: 12,
      n: 4,
      temperature: 1.1,
      optimizer: small,
      grpo: { kl: 0.02 },
    },
    explore: { adaptive: false },
    dynamics: { samples: 2, temperatures: [1], every: 9 },
    test: { problems: 2, samples: 2, every: 9 },
  };
  const config = join(root, 'native.yaml');
  await writeDurable(config, stringify(native));
  const start = (name: string, ...more: string[]) =>
    startMstar(['evolve', '--config', config, '--set', `run.dir=${join(root, name)}`, ...more]);
  const began = performance.now();
  const whole = start('whole');
  const { code, text } = await whole.ended;
  expect(code).toBe(0);
  expect(text + whole.output()).toMatch(/iter-0002: log-probabilities in sampling and in training are the same\n/);
  const lasts = performance.now() - began;
  for (const share of [0.45, 0.6]) {
    const { child, ended } = start('killed', '--quiet');
    setTimeout(() => child.kill('SIGKILL'), share * lasts);
    await ended;
  }
  expect((await start('killed', '--quiet', '--set', 'model.threads=2').ended).code).toBe(0);
  expect((await start('ranks', '--quiet', '--processes', '2').ended).code).toBe(0);
  const files = (name: string) =>
    Object.entries(fingerprint(join(root, name))).filter(([file]) => !/^report\.(html|md)$/.test(file));
  expect(files('killed')).toEqual(files('whole'));
  expect(files('ranks')).toEqual(files('whole'));
  const steps = linesOf('whole').filter(({ event }) => event === 'step');
  const firsts = ['iter-0001', 'iter-0002'].map((name) => steps.find(({ phase }) => phase === name));
  for (const { mismatchMean, mismatchMax } of firsts) expect([mismatchMean, mismatchMax]).toEqual([0, 0]);
  // The reference is what the first iteration began with.
  expect(Math.abs(firsts[0].kl)).toBeLessThan(1e-9);
  expect(firsts[1].kl).toBeGreaterThan(1e-9);
});
