// The rollout and evaluate jobs on a simulated learner: every problem has an outcome, and a job that was cut off goes on.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ModelHost } from '../../src/core/ports.js';
import { evaluate, evaluateBenchmark, evaluateStored, rollout } from '../../src/jobs/jobs.js';
import { writeProblems } from '../../src/problems/write.js';
import { Stopped } from '../../src/run/stop.js';
import { fakeHost, writeFakeModel } from '../fakes/host.js';
import { fingerprint } from './folders.js';

let root: string;
let base: { model: string; data: string; imageRoot: string; chunk: number; threads: number };

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'mstar-jobs-'));
  writeFakeModel(join(root, 'model'));
  const { file, imageRoot } = await writeProblems(join(root, 'data'), { count: 20, seed: 5 });
  base = { model: join(root, 'model'), data: file, imageRoot, chunk: 4, threads: 1 };
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const lines = (file: string) =>
  readFileSync(join(root, file), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

/** A host that counts the problems it samples and stops the job after some. */
function counting(stopAfter = Number.POSITIVE_INFINITY) {
  const controller = new AbortController();
  const inner = fakeHost();
  let sampled = 0;
  const host: ModelHost = {
    ...inner,
    async openPolicy(dir) {
      const policy = await inner.openPolicy(dir);
      const sample = policy.rollout.bind(policy);
      policy.rollout = async (requests, ...rest) => {
        sampled += requests.length;
        if (sampled > stopAfter) controller.abort();
        return sample(requests, ...rest);
      };
      return policy;
    },
  };
  return { host, signal: controller.signal, sampled: () => sampled };
}

describe('evaluate', () => {
  test('gives every problem an outcome, in order, also those whose picture is damaged', async () => {
    const ids = (JSON.parse(readFileSync(base.data, 'utf8')) as { id: string }[]).map(({ id }) => id);
    const broken = new Set(ids.slice(6, 8));
    const summary = await evaluate({ ...base, out: join(root, 'eval') }, { host: fakeHost({ broken }) });
    const written = lines('eval/responses.jsonl');
    expect(written.map(({ problem }) => problem)).toEqual(ids);
    expect(written.filter(({ outcome }) => outcome === 'error').map(({ problem }) => problem)).toEqual([...broken]);
    expect(summary.all).toMatchObject({ problems: 20, failed: 2 });
    expect(Object.values(summary.outcomes).reduce((sum, count) => sum + count, 0)).toBe(20);
    expect(Object.values(summary.bySource).reduce((sum, { problems }) => sum + problems, 0)).toBe(20);
  });
});

describe('rollout', () => {
  test('that was stopped goes on with the next chunk and ends with the same bytes', async () => {
    const settings = { ...base, n: 3 };
    await rollout({ ...settings, out: join(root, 'whole') }, { host: fakeHost() });
    const first = counting(10);
    await expect(rollout({ ...settings, out: join(root, 'parts') }, first)).rejects.toThrow(Stopped);
    const second = counting();
    const summary = await rollout({ ...settings, out: join(root, 'parts') }, second);
    expect(second.sampled()).toBe(20 - 8);
    expect(summary).toMatchObject({ problems: 20, responses: 60 });
    expect(fingerprint(join(root, 'parts'))).toEqual(fingerprint(join(root, 'whole')));
    expect(lines('whole/rollouts.jsonl')).toHaveLength(60);
  });

  test('takes a part of the data, with any sampling', async () => {
    const settings = { ...base, limit: 5, n: 2, temperature: 0.5, topK: 3, topP: 0.9, maxTokens: 10 };
    const summary = await rollout({ ...settings, out: join(root, 'part') }, { host: fakeHost() });
    expect(summary).toMatchObject({ problems: 5, responses: 10, tokens: 100 });
  });

  test('refuses to go on with other settings', async () => {
    const changed = rollout({ ...base, n: 4, out: join(root, 'whole') }, { host: fakeHost() });
    await expect(changed).rejects.toThrow('n: 4 now, wanted 3');
    await expect(evaluate({ ...base, out: join(root, 'whole') }, { host: fakeHost() })).rejects.toThrow(
      'made by mstar rollout, wanted one of mstar evaluate',
    );
  });

  test('refuses settings and data without making a folder', async () => {
    const out = join(root, 'refused');
    await expect(rollout({ ...base, n: 0, out }, { host: fakeHost() })).rejects.toThrow('--n: 0, wanted at least 1');
    await expect(rollout({ ...base, data: join(root, 'absent.json'), out }, { host: fakeHost() })).rejects.toThrow(
      'absent.json',
    );
    await expect(rollout({ ...base, model: root, out }, { host: fakeHost() })).rejects.toThrow('model.json: missing');
    expect(() => readFileSync(join(out, 'config.yaml'))).toThrow('ENOENT');
  });
});

describe('a benchmark', () => {
  const benchmark = 'mathv360k-id';

  test('is sampled greedily and n times, scored, and its tables come out the same from its folder', async () => {
    const prm = join(root, 'prm');
    writeFakeModel(prm, { bias: -1, slope: 2 });
    const out = join(root, 'bench');
    const settings = { ...base, benchmark, n: 3, temperature: 0.8, prm, out };
    const made = await evaluateBenchmark(settings, { host: fakeHost() });
    expect(made.sets.map(({ name, n, problems, scored }) => [name, n, problems, scored])).toEqual([
      ['greedy', 1, 20, false],
      ['T = 0.8', 3, 20, true],
    ]);
    const summary = await evaluate({ ...base, out: join(root, 'plain') }, { host: fakeHost() });
    expect(made.sets[0]?.scores[0]?.accuracy.mean).toBeCloseTo(summary.all.accuracy, 12);
    const again = join(root, 'again');
    await evaluateStored({ rollouts: out, benchmark, out: again });
    for (const ending of ['json', 'md', 'html']) {
      const [a, b] = [out, again].map((folder) => readFileSync(join(folder, `evaluation.${ending}`), 'utf8'));
      expect(a).toBe(b);
    }
  });

  test('that was stopped goes on with the next chunk and ends with the same bytes', async () => {
    const settings = { ...base, benchmark, n: 2 };
    await evaluateBenchmark({ ...settings, out: join(root, 'bench-whole') }, { host: fakeHost() });
    const out = join(root, 'bench-parts');
    await expect(evaluateBenchmark({ ...settings, out }, counting(30))).rejects.toThrow(Stopped);
    expect(existsSync(join(out, 'evaluation.json'))).toBe(false);
    const second = counting();
    await evaluateBenchmark({ ...settings, out }, second);
    expect(second.sampled()).toBe(20 - 8);
    expect(fingerprint(out)).toEqual(fingerprint(join(root, 'bench-whole')));
  });

  test('is refused by name before a folder is made, as is a benchmark none of whose problems are there', async () => {
    const out = join(root, 'bench-refused');
    const run = (settings: object, options = {}) =>
      evaluateBenchmark({ ...base, benchmark, out, ...settings }, { host: fakeHost(), ...options });
    await expect(run({ benchmark: 'mmvet' })).rejects.toThrow('--benchmark: mmvet, wanted one of');
    await expect(run({ benchmark: 'mmstar-r' })).rejects.toThrow('problems: none that count');
    await expect(run({ prm: root })).rejects.toThrow('model.json: missing');
    await expect(run({ temperature: 0 })).rejects.toThrow('--temperature: 0, wanted more than 0');
    await expect(run({}, { protocol: 'vlm' })).rejects.toThrow('--protocol: vlm, wanted one of');
    expect(existsSync(out)).toBe(false);
  });
});
