import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig, located, resolveConfig } from '../../../src/config/load.js';
import { packageRoot } from '../../../src/config/presets.js';
import type { Config } from '../../../src/config/schema.js';

let root: string;
let file: string;
const minimal = 'model: { path: base }\ndata: { generate: { count: 2000 } }\n';

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'mstar-config-'));
  file = join(root, 'recipe.yaml');
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function load(text: string, ...set: string[]): Promise<Config> {
  writeFileSync(file, text);
  return loadConfig({ file, set });
}

/** The message of the refusal, without the folder. */
async function refusal(text: string, ...set: string[]): Promise<string> {
  const error = await load(text, ...set).then(
    () => new Error('accepted'),
    (reason: Error) => reason,
  );
  return error.message.replaceAll(`${root}/`, '');
}

describe('a recipe', () => {
  test('needs a model and problems; the rest has the values of the paper', async () => {
    const config = await load(minimal);
    expect(config.evolve).toMatchObject({
      steps: 10_000,
      interval: 45_000,
      n: 16,
      temperature: 1,
      select: { rule: 'top', k: 2 },
    });
    expect(config.evolve.optimizer).toMatchObject({ lr: 1e-6, batchSize: 128, warmupRatio: 0.1 });
    expect(config.prm).toMatchObject({ pairs: 50_000, maxPerProblem: 4, completions: 8, aggregate: 'min' });
    expect(config.prm.optimizer.freeze).toEqual(['vision']);
    expect(config.explore.temperatures).toHaveLength(14);
    expect(config.model.path).toBe(join(process.cwd(), 'base'));
    expect(config.model.threads).toBe(0);
  });

  test('takes a group or a setting with nothing after its colon for left out', async () => {
    const config = await load(`${minimal}prm:\nevolve:\n  n:\n  select:\n    k: 3\n`);
    expect(config.prm.completions).toBe(8);
    expect(config.evolve).toMatchObject({ n: 16, select: { k: 3 } });
  });

  test.each([
    [
      'an unknown key by its line and the nearest name',
      `${minimal}evolve:\n  n: 4\n  temprature: 1\n`,
      'recipe.yaml:5: evolve.temprature: unknown setting, did you mean evolve.temperature?',
    ],
    ['an unknown group', `${minimal}evolv: { n: 4 }\n`, 'recipe.yaml:3: evolv: unknown setting, did you mean evolve?'],
    [
      'a key that belongs elsewhere',
      `${minimal}temperatures: [1]\n`,
      'recipe.yaml:3: temperatures: unknown setting, did you mean explore.temperatures or dynamics.temperatures?',
    ],
    [
      'a name of earlier versions, with the name of now',
      `${minimal}prm:\n  convergeEpochs: 2\n`,
      'recipe.yaml:4: prm.convergeEpochs: the name in earlier versions, wanted prm.completerEpochs',
    ],
    ['a number out of range', `${minimal}evolve: { n: 0 }\n`, 'recipe.yaml:3: evolve.n: 0, wanted at least 1'],
    [
      'a fraction where a whole number is wanted',
      `${minimal}evolve:\n  n: 1.5\n`,
      'recipe.yaml:4: evolve.n: 1.5, wanted a whole number',
    ],
    ['text where a number is wanted', `${minimal}seed: one\n`, 'recipe.yaml:3: seed: "one", wanted a number'],
    [
      'a name that is not a choice',
      `${minimal}model: { path: b, device: tpu }\n`.replace('model: { path: base }\n', ''),
      'recipe.yaml:2: model.device: "tpu", wanted one of cpu, cuda',
    ],
    [
      'a key given twice',
      `${minimal}seed: 1\nseed: 2\n`,
      'recipe.yaml:4: recipe: Map keys must be unique, wanted valid YAML',
    ],
    ['no model', 'data: { generate: { count: 2000 } }\n', 'recipe.yaml: model: missing, wanted a group of settings'],
    [
      'no problems',
      'model: { path: base }\ndata: {}\n',
      'recipe.yaml:2: data: no problems, wanted data.file or data.generate',
    ],
    [
      'two sources of problems',
      `${minimal.replace('generate', 'file: a.json, generate')}`,
      'recipe.yaml:2: data: both file and generate, wanted one of them',
    ],
    [
      'parts larger than the whole',
      minimal.replace('2000', '1000'),
      'recipe.yaml: splits: 250 for validation and 750 for test, wanted fewer than the 1000 made',
    ],
    [
      'more to select than to sample',
      `${minimal}evolve: { n: 1 }\n`,
      'recipe.yaml:3: evolve.select.k: 2, wanted at most evolve.n (1)',
    ],
    [
      'a temperature listed twice',
      `${minimal}explore: { temperatures: [1, 1] }\n`,
      'recipe.yaml:3: explore.temperatures: a temperature is listed twice, wanted each once',
    ],
    [
      'a prompt without the question',
      `${minimal}prompt: { solve: hello }\n`,
      'recipe.yaml:3: prompt.solve: no {question} in it, wanted one',
    ],
    ['a list instead of groups', '- 1\n', 'recipe.yaml: recipe: not a mapping, wanted settings by group'],
  ])('is refused in one line for %s', async (_, text, message) => {
    expect(await refusal(text)).toBe(message);
  });

  test('cannot grow without bound by aliases', async () => {
    const bomb = [
      'a: &a [1,1,1,1,1,1,1,1,1]',
      ...'bcdefgh'.split('').map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[i]}`)}]`),
    ];
    expect(await refusal(bomb.join('\n'))).toContain('too many aliases, wanted fewer');
  });

  test.each([
    [
      'a value that holds itself',
      `${minimal}evolve: &a { n: *a }\n`,
      'recipe: a value that holds itself, wanted plain',
    ],
    ['many levels', `${minimal}evolve: ${'['.repeat(20_000)}\n`, 'recipe: more than 100 levels, wanted plain values'],
  ])('is refused by its name for %s', async (_, text, message) => {
    expect(await refusal(text)).toMatch(new RegExp(`^recipe.yaml(:3)?: ${message}`));
  });

  test('cannot reach the prototype of objects', async () => {
    expect(await refusal(`${minimal}__proto__: { seed: 2 }\n`)).toContain('unknown setting');
    expect(await refusal(minimal, '__proto__.seed=2')).toContain('unknown setting');
  });
});

describe('--set', () => {
  test('overrides the file, later ones the earlier, each with the type of its setting', async () => {
    const config = await load(
      `${minimal}seed: 1\n`,
      'seed=2',
      'seed=3',
      'run.dir=7',
      'explore.temperatures=[0.5, 1]',
      'warmup.enabled=false',
    );
    expect(config.seed).toBe(3);
    expect(config.run.dir).toBe(join(process.cwd(), '7'));
    expect(config.explore.temperatures).toEqual([0.5, 1]);
    expect(config.warmup.enabled).toBe(false);
  });

  test('takes a setting out with null', async () => {
    const config = await load(minimal, 'data.generate=null', 'data.file=a.json');
    expect(config.data).toEqual({ file: join(process.cwd(), 'a.json') });
  });

  test.each([
    [
      'evolve.itertions=3',
      '--set evolve.itertions=3: evolve.itertions: unknown setting, did you mean evolve.iterations?',
    ],
    [
      'evolve.select.alpha=0.3',
      '--set evolve.select.alpha=0.3: evolve.select.alpha: the name in earlier versions, wanted evolve.select.threshold',
    ],
    ['evolve.n=many', '--set evolve.n=many: evolve.n: "many", wanted a number'],
    ['evolve.n=', '--set evolve.n=: no value, wanted one; null takes the setting out, "" stands for empty text'],
    ['prompt.system= ', '--set prompt.system= : no value, wanted one'],
    ['evolve.n', '--set evolve.n: not an override, wanted name=value, for example evolve.n=16'],
    ['explore.temperatures=[1', '--set explore.temperatures=[1: '],
  ])('is refused: %s', async (set, message) => {
    expect(await refusal(minimal, set)).toContain(message);
  });
});

describe('an adapter', () => {
  test('is off unless its group is there, and has defaults then', async () => {
    expect((await load(minimal)).model.adapter).toBeUndefined();
    const { adapter } = (await load(minimal, 'model.adapter={}')).model;
    expect(adapter).toEqual({ rank: 16, alpha: 32, targets: [] });
    expect((await load(minimal, 'model.adapter.rank=8')).model.adapter?.rank).toBe(8);
  });

  test('is refused where the language model, in which it lies, is frozen', async () => {
    const frozen = 'evolve.optimizer.freeze=[language]';
    expect(await refusal(minimal, frozen, 'model.adapter.rank=8')).toBe(
      '--set evolve.optimizer.freeze=[language]: evolve.optimizer.freeze: language beside model.adapter, whose matrices lie there: nothing would learn',
    );
    expect((await load(minimal, frozen)).evolve.optimizer.freeze).toEqual(['language']);
  });
});

describe('presets', () => {
  test.each(['demo'])('%s is a valid recipe on files of this package', async (preset) => {
    const config = await loadConfig({ preset });
    expect(config.model.path).toBe('mstar:assets/tiny-internvl2');
    expect(located(config).model.path).toBe(join(packageRoot, 'assets/tiny-internvl2'));
    expect(located(config).prm.path).toBe(join(packageRoot, 'assets/tiny-prm'));
    expect((await loadConfig({ preset, set: ['prm.path=null'] })).prm.path).toBeUndefined();
  });

  test('are named when an unknown one is asked for', async () => {
    await expect(loadConfig({ preset: 'dmo' })).rejects.toThrow(
      /^--preset: "dmo", wanted one of demo, prm, prm-policy, paper, tiny, or of paper and tiny with one of adaptive, .*, like paper-adaptive$/,
    );
    await expect(loadConfig({ preset: 'paper-nothing' })).rejects.toThrow('--preset: "paper-nothing", wanted one of');
  });

  test('of a row lay its settings over those of the scale, and refusals name the file that a setting is in', async () => {
    const row = await loadConfig({ preset: 'tiny-unlabelled-75' });
    expect(row.evolve).toMatchObject({ steps: 400, interval: '25%', unlabelled: { answers: 'pseudo', after: 0.75 } });
    expect(row.explore.adaptive).toBe(false);
    expect(row.run.dir).toMatch(/runs\/tiny-unlabelled-75$/);
    await expect(loadConfig({ preset: 'tiny-top-4', set: ['evolve.n=2'] })).rejects.toThrow(
      /rows\/top-4\.yaml:2: evolve\.select\.k: 4, wanted at most evolve\.n \(2\)$/,
    );
  });
});

test('resolving a resolved recipe changes nothing', async () => {
  const config = await load(minimal);
  expect(resolveConfig(config)).toEqual(config);
});
