// The built command line: what it refuses and how, without an engine.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verbs } from '../../../src/commands/verbs.js';

const cli = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));
let dir: string;
beforeAll(() => {
  if (!existsSync(cli)) throw new Error('dist/cli.js is missing: run `npm run setup`');
  dir = mkdtempSync(join(tmpdir(), 'mstar-cli-'));
  writeFileSync(
    join(dir, 'recipe.yaml'),
    'model: { path: absent }\ndata: { file: absent.json }\nevolve:\n  temprature: 1\n',
  );
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function mstar(...args: string[]): { status: number | null; out: string; error: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { cwd: dir, encoding: 'utf8' });
  return { status, out: stdout, error: stderr };
}

describe('mstar', () => {
  test('lists its verbs, and each verb explains itself with examples', () => {
    const { status, out } = mstar('--help');
    expect(status).toBe(0);
    for (const { command } of verbs) expect(out).toContain(`mstar ${command}`);
    for (const verb of ['evolve', 'rollout']) {
      const help = mstar(verb, '-h').out;
      expect(help).toContain('Examples:');
      expect(help).toContain(`mstar ${verb} --`);
      expect(mstar('help', verb).out).toBe(help);
    }
  });

  test('lists every setting with its default and meaning', () => {
    const { out } = mstar('evolve', '--settings');
    expect(out).toContain(
      'evolve.select.k (2): responses per problem for top and random [a whole number from 1 to 4096]\n',
    );
  });

  test.each([
    ['no verb', [], 'error: no verb, wanted one of those that mstar --help lists\n'],
    ['a misspelt verb', ['evolv'], 'error: evolv: unknown verb, did you mean evolve?\n'],
    ['an unknown flag', ['evolve', '--presets', 'demo'], 'error: --presets: unknown flag, did you mean --preset?\n'],
    [
      'a missing flag',
      ['rollout', '--model', 'm'],
      'error: --data, --out: missing, wanted values as mstar rollout --help shows\n',
    ],
    [
      'a missing model',
      ['evaluate', '--out', 'o'],
      'error: --model: missing, wanted --model and --data, or --rollouts with what was sampled before\n',
    ],
    [
      'a model beside stored rollouts',
      ['evaluate', '--rollouts', 'r', '--model', 'm', '--out', 'o'],
      'error: --model: given with --rollouts, wanted one of the two\n',
    ],
    [
      'an unknown protocol',
      ['evaluate', '--rollouts', 'r', '--protocol', 'vlm', '--out', 'o'],
      'error: --protocol: vlm, wanted one of mstar, official, mathvista, m3cot, mmstar, mmbench, ai2d, geoqa, scienceqa, tabmwp, math-text\n',
    ],
    [
      'samples without a benchmark',
      ['evaluate', '--model', 'm', '--data', 'd', '--out', 'o', '--n', '4'],
      'error: --n: given without --benchmark, wanted both, or mstar rollout\n',
    ],
    [
      'benchmarks of a run without the run',
      ['evaluate', '--model', 'm', '--data', 'd', '--out', 'o', '--benchmarks', 'ai2d'],
      'error: --benchmarks: given without --run, wanted both\n',
    ],
    [
      'metrics for Weights & Biases, with the way to it',
      ['evolve', '--preset', 'demo', '--report-to', 'wandb'],
      'error: --report-to: wandb, wanted tensorboard or jsonl; metrics.jsonl goes to Weights & Biases by examples/trackers/wandb_run.py (docs/metrics.md)\n',
    ],
    [
      'metrics for something unknown',
      ['label', '--preset', 'demo', '--report_to', 'tensorboard,mlflow'],
      'error: --report-to: mlflow, wanted tensorboard or jsonl\n',
    ],
    [
      'a page of runs without runs',
      ['runs', '--html', 'o'],
      'error: --html: given without --compare, wanted run folders to compare\n',
    ],
    ['one run to compare', ['runs', '--compare', 'a'], 'error: --compare: 1 folders, wanted 2 to 8\n'],
    [
      'no recipe',
      ['evolve'],
      'error: --config: missing, wanted a recipe file (mstar init writes one), or --preset with a name (mstar preset list)\n',
    ],
    [
      'a recipe that is not there',
      ['warmup', '--config', 'none.yaml'],
      'error: none.yaml: file: no such file, wanted a readable file\n',
    ],
    [
      'an unknown setting',
      ['label', '--config', 'recipe.yaml'],
      'error: recipe.yaml:4: evolve.temprature: unknown setting, did you mean evolve.temperature?\n',
    ],
    [
      'a value out of range',
      ['rollout', '--model', 'm', '--data', 'd', '--out', 'o', '--top_p', '2'],
      'error: --top-p: 2, wanted at most 1\n',
    ],
    [
      'an unknown experiment',
      ['experiment', 'table9', '--out', 'o'],
      'error: experiment: table9, wanted one of table1, table2, table3, grpo, table4, table5, dynamics\n',
    ],
    [
      'an unknown scale',
      ['experiment', 'table1', '--scale', 'huge', '--out', 'o'],
      'error: --scale: huge, wanted one of paper, tiny\n',
    ],
    [
      'seeds that are not numbers',
      ['experiment', 'table1', '--seeds', '1,b', '--out', 'o'],
      'error: --seeds: "b", wanted numbers like 1,2,3\n',
    ],
    [
      'an experiment on benchmarks without data',
      ['experiment', 'table4', '--scale', 'paper', '--set', 'data.file=d', '--set', 'model.path=m', '--out', 'o'],
      'error: --benchmark-data: none for mathvista, wanted mathvista=FILE\n',
    ],
    [
      'the data of a benchmark without its name',
      ['experiment', 'table4', '--benchmark-data', 'testmini.parquet', '--out', 'o'],
      'error: --benchmark-data: testmini.parquet, wanted NAME=PATH\n',
    ],
    [
      'a setting for a model that is not there',
      ['experiment', 'table4', '--model', 'a=m', '--model-set', 'b:evolve.n=2', '--out', 'o'],
      'error: --model-set: b:evolve.n=2, wanted NAME:SETTING=VALUE with a name of --model\n',
    ],
    [
      'data of a benchmark twice',
      ['experiment', 'table4', '--benchmark-data', 'mathvista=a', '--benchmark-data', 'mathvista=b', '--out', 'o'],
      'error: --benchmark-data: mathvista twice, wanted each once\n',
    ],
    [
      'a flag that stands for a setting, by its own name',
      ['train-prm', '--labels', 'l', '--model', 'm', '--out', 'o', '--set', 'prm.enabled=false'],
      'error: --labels l: prm.labels: given, but no PRM is asked (prm.enabled): wanted prm.labels=null, or a PRM and a decision that needs it\n',
    ],
    [
      'to begin with the phases of a folder that is not a run',
      ['evolve', '--preset', 'demo', '--from', 'none'],
      'error: none: run: no config.yaml, wanted the folder of a run\n',
    ],
  ])('refuses %s in one line, with exit code 1 and nothing written', (_, args, message) => {
    const { status, out, error } = mstar(...args);
    expect([status, out, error]).toEqual([1, '', message]);
    expect(existsSync(join(dir, 'runs'))).toBe(false);
    expect(existsSync(join(dir, 'o'))).toBe(false);
  });

  test('shows control characters in a message as escapes', () => {
    const { error } = mstar('evolve', '--config', 'a\u001b[31m.yaml');
    expect(error).toBe('error: a\\u{1b}[31m.yaml: file: no such file, wanted a readable file\n');
  });

  test('prints a stack with --debug only', () => {
    expect(mstar('evolve', '--debug').error).toContain('\n    at ');
  });
});
