// Every recipe that comes with mstar is whole, says what it is in its first line, and runs where its name says.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { listPresets, loadConfig } from '../../../src/config/load.js';

const names = await listPresets();

test('there is the demonstration, and a row of the paper for each of its choices', () => {
  expect(names).toEqual(
    expect.arrayContaining([
      'demo',
      'paper',
      'paper-rest-em',
      'paper-iterative-rft',
      'paper-interval-6-25',
      'paper-unlabelled-75',
      'paper-oracle',
    ]),
  );
});

test.each(names.filter((name) => name.startsWith('paper')))(
  '%s is whole once model and data are given',
  async (preset) => {
    const file = fileURLToPath(new URL(`../../../assets/presets/${preset}.yaml`, import.meta.url));
    expect(readFileSync(file, 'utf8')).toMatch(/^# [A-Z].*\.\n/);
    const { run, evolve, prm, warmup } = await loadConfig({ preset, set: ['model.path=m', 'data.file=d.json'] });
    expect(run.dir).toMatch(new RegExp(`runs/${preset}$`));
    // The paper's numbers are the defaults.
    expect(evolve).toMatchObject({ n: 16, temperature: 1, optimizer: { lr: 1e-6, batchSize: 128, warmupRatio: 0.1 } });
    expect(prm).toMatchObject({
      questions: 50_000,
      samples: 16,
      maxPerQuestion: 4,
      pairs: 50_000,
      completions: 8,
      balance: true,
    });
    expect(warmup).toMatchObject({ samples: 16, maxExamples: 100_000 });
  },
);
