// Every recipe that comes with mstar is whole, says what it is in its first line, and runs where its name says.
import { describe, expect, test } from 'vitest';
import { loadConfig, readPreset } from '../../../src/config/load.js';
import { describePreset, listPresets } from '../../../src/config/presets.js';

const names = await listPresets();
const rows = names.flatMap((name) => (name.startsWith('paper-') ? [name.slice('paper-'.length)] : []));
const given = ['model.path=m', 'data.file=d.json'];

test("there is the demonstration, the PRM of experiments, and every row of the paper's tables and grpo at both scales", () => {
  const intervals = ['100', '50', '25', '12-5', '6-25'].map((share) => `interval-${share}`);
  const unlabelled = ['0', '25', '50', '75'].map((share) => `unlabelled-${share}`);
  expect([...rows].sort()).toEqual(
    [
      ...['sft', 'iterative-rft', 'rest-em', ...intervals],
      ...['random-2', 'threshold', 'top-1', 'top-2', 'top-4'],
      ...['oracle-all', 'oracle', ...unlabelled],
      ...['fixed', 'adaptive', 'grpo'],
    ].sort(),
  );
  const scales = ['paper', 'tiny'].flatMap((scale) => [scale, ...rows.map((row) => `${scale}-${row}`)]);
  expect([...names].sort()).toEqual(['demo', 'prm', 'prm-policy', ...scales].sort());
});

test.each(names)('%s says what it is and runs in a folder of its name', async (preset) => {
  for (const line of await describePreset(preset)) expect(line).toMatch(/^[A-Z].*\.$/);
  const { run } = await loadConfig({ preset, set: preset.startsWith('paper') ? given : [] });
  expect(run.dir).toMatch(new RegExp(`runs/${preset}$`));
});

describe('at the scale of the paper', () => {
  test.each(['paper', ...rows.map((row) => `paper-${row}`)])('%s has the numbers of the paper', async (preset) => {
    const { evolve, prm, warmup } = await loadConfig({ preset, set: given });
    const optimizer = { lr: 1e-6, batchSize: 128, warmupRatio: 0.1 };
    expect(evolve).toMatchObject({ steps: 10_000, n: 16, temperature: 1, optimizer });
    const labels = { problems: 50_000, samples: 16, maxPerProblem: 4, pairs: 50_000, completions: 8, balance: true };
    expect(prm).toMatchObject({ ...labels, optimizer: { freeze: ['vision'] } });
    expect(warmup).toMatchObject({ samples: 16, maxExamples: 100_000 });
  });
});

test('every row of a table passes three times over the labelled problems and divides its steps evenly', async () => {
  for (const name of await listPresets()) {
    if (!/^(paper|tiny)/.test(name)) continue;
    const { evolve } = (await readPreset(name)) as { evolve: Record<string, unknown> };
    if (evolve.method === 'sft') continue;
    const passes = (Number(evolve.iterations) * Number.parseFloat(String(evolve.interval))) / 100;
    expect([name, passes, evolve.evenly]).toEqual([name, 3, true]);
  }
});

test('every recipe of the paper bounds its checkpoints, survives a kill inside a training, and measures each iteration', async () => {
  for (const preset of (await listPresets()).filter((name) => name.startsWith('paper'))) {
    const { run, warmup, prm, evolve, dynamics } = await loadConfig({
      preset,
      set: ['model.path=m', 'data.file=d.json'],
    });
    expect(run).toMatchObject({ keepCheckpoints: 2, checkpointEvery: 100 });
    for (const { optimizer } of [warmup, prm, evolve])
      expect(optimizer).toMatchObject({ betas: [0.9, 0.95], weightDecay: 0.1, lr: 1e-6 });
    expect(dynamics.every).toBe(1);
  }
});

test('a row differs from another of its scale in nothing but what its name says', async () => {
  const [top, random] = [await readPreset('tiny-top-2'), await readPreset('tiny-random-2')];
  expect(random).toEqual({
    ...top,
    run: { ...(top.run as object), dir: 'runs/tiny-random-2' },
    evolve: { ...(top.evolve as object), select: { rule: 'random', k: 2, repeats: 'drop' } },
  });
});
