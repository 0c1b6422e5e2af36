// Every block of code in the documents is run as a reader would run it: the blocks of a page one after another in one folder, where
// what they name stands for something small. What no test can run is parsed instead, and says why.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { resolveConfig } from '../../src/config/load.js';
import { loadProblems } from '../../src/data/problems.js';
import { type Block, blocksOf, documents } from '../fakes/documents.js';
import { addonBuilt } from '../fakes/model-folder.js';
import { pngFile } from '../fakes/png.js';
import { makeWorld, model, type World } from './docs-world.js';

/**
 * Why a block is only parsed, by its page and its first words. The flags of its commands are checked with all others in
 * test/unit/commands/docs.test.ts, and the settings that they give a preset.
 */
const PARSED: Readonly<Record<string, string>> = {
  'README.md: npm run demo': 'sets up a clone and runs this very test',
  'README.md: npm install mstar': 'needs packed packages and a network',
  'docs/data.md: mstar evolve --preset paper-adaptive': 'needs models of several billion parameters',
  'docs/experiments.md: mstar evolve --preset paper-rest-em': 'takes hours',
  'docs/experiments.md: mstar experiment table1': 'takes hours; test/integration/grid.test.ts runs a small one',
  'docs/experiments.md: mstar experiment table4': 'takes hours; test/integration/benchmarks.test.ts runs a small one',
  'docs/grpo.md: mstar evolve --preset tiny-grpo': 'takes minutes; test/integration/grpo.test.ts runs a small one',
  'docs/metrics.md: import pandas': 'needs pandas',
  'docs/metrics.md: python examples/trackers': 'needs wandb and MLflow',
  'docs/models.md: mstar check hf:': 'needs a network; test/integration/hub.test.ts runs it against a local hub',
  'docs/operating.md: mstar distributed check --gpus': 'needs GPUs; test/native/ranks.test.ts runs it on a CPU',
  'docs/prm.md: mstar prm runs/demo --judge': 'needs a language model; test/unit/commands/prm.test.ts gives it one',
  'docs/several-processes.md: mstar evolve --config recipe.yaml --gpus': 'needs GPUs',
  'docs/several-processes.md: mstar distributed check': 'needs GPUs; test/native/ranks.test.ts runs it on a CPU',
  'docs/serving.md: mstar serve': 'serves until it is stopped, as test/native/serve-command.test.ts does',
  'docs/serving.md: curl': 'needs a server; test/native/serve.test.ts has one',
  'docs/serving.md: import base64':
    "needs a server and OpenAI's Python package; test/native/serve.test.ts asks by its JavaScript one",
  'docs/serving.md: {"object"': 'is what such a server answers',
  'docs/serving.md: OPENAI_BASE_URL': 'needs a server; test/native/serve.test.ts has one',
  'docs/serving.md: api_models': 'is a line for a file of VLMEvalKit',
  'docs/tutorial.md: npx mstar watch': 'serves until it is stopped, as test/unit/commands/watch.test.ts does',
  'docs/watching.md: mstar watch': 'serves until it is stopped, as test/unit/commands/watch.test.ts does',
  'docs/watching.md: ssh': 'needs another machine',
  'docs/watching.md: mstar evolve --config recipe.yaml --notify':
    'needs a server; test/unit/commands/notify.test.ts has one',
  'docs/watching.md: {"run"': 'is what such a server receives',
};

const blocks = documents.flatMap(blocksOf).filter(({ language }) => language !== 'text');
const placeOf = ({ document, code }: Block): string | undefined =>
  Object.keys(PARSED).find((place) => `${document}: ${code}`.startsWith(place));
const executed = blocks.filter((block) => placeOf(block) === undefined);
const parsed = blocks.filter((block) => placeOf(block) !== undefined);
const named = (block: Block) => [`${block.document}:${block.line} (${block.language})`, block] as const;

let world: World;
let page = '';
/** The folder that a page is read in, as it was before the page's first block. */
function folderOf({ document }: Block): string {
  if (document !== page) {
    world.renew();
    // These pages make it.
    if (['README.md', 'docs/tutorial.md'].includes(document)) rmSync(join(world.folder, 'recipe.yaml'));
  }
  page = document;
  return world.folder;
}

/** The recipe that `mstar init` writes and the pictures of the tutorial, of a size for tests. */
function smaller(code: string): string {
  const sizes = ['iterations: 4/iterations: 1', 'samples: 1*[68]/samples: 2', 'n: 8/n: 4'];
  const lists = ['temperatures: \\[[^]]*\\]/temperatures: [1]', '^  pairs: .*/  pairs: 8\\n  completions: 2'];
  const edits = [...sizes, ...lists].map((edit) => `-e 's/${edit}/'`).join(' ');
  return code
    .replace('--count 500', '--count 24')
    .replace('--n 16', '--n 2')
    .replace('timeout 20', 'timeout 4')
    .replace(/^npx mstar init .*$/m, (line) => `${line}\nsed -i ${edits} recipe.yaml`);
}

function runs(block: Block, code: string): void {
  const { status, output } = world.shell(folderOf(block), code);
  expect(status, output).toBe(0);
}

/** A record of a data set is read as a file of it is; the pictures that it names are there. */
async function reads(block: Block): Promise<void> {
  const dir = join(folderOf(block), `line-${block.line}`);
  for (const name of ['TabMWP/images/1.png', 'images/m-1.png', 'a.png']) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), pngFile({ width: 1, height: 1, colorType: 0, rows: [[7]] }));
  }
  const file = join(dir, block.language === 'tsv' ? 'records.tsv' : 'records.jsonl');
  writeFileSync(file, block.code);
  const problems = await loadProblems(file, { imageRoot: dir });
  expect(problems.length).toBe(block.code.trimEnd().split('\n').length - Number(block.language === 'tsv'));
}

const execute: Readonly<Record<string, (block: Block) => void | Promise<void>>> = {
  sh: (block) => runs(block, smaller(block.code)),
  js: (block) => {
    const file = `line-${block.line}.mjs`;
    writeFileSync(join(folderOf(block), file), block.code);
    runs(block, `node ${file}`);
  },
  // Part of a recipe.
  yaml: async ({ code }) => {
    const { model: given, ...settings } = parse(code) as { model?: object };
    await resolveConfig({ model: { ...model, ...given }, data: { generate: { count: 5000 } }, ...settings });
  },
  json: reads,
  tsv: reads,
};

const parses: Readonly<Record<string, (code: string) => void>> = {
  sh: (code) => expect(spawnSync('bash', ['-n'], { input: code, encoding: 'utf8' }).stderr).toBe(''),
  python: (code) => {
    const { stderr } = spawnSync('python3', ['-c', 'import ast, sys; ast.parse(sys.stdin.read())'], {
      ...{ input: code, encoding: 'utf8' },
    });
    // Python fetches LibTorch in a set-up, and may be missing where LibTorch is there.
    expect(stderr ?? '').toBe('');
  },
  json: (code) => expect(JSON.parse(code)).toBeTypeOf('object'),
};

describe.skipIf(!addonBuilt)('a block of the documents runs (skipped where the addon is not built)', () => {
  beforeAll(async () => {
    world = await makeWorld();
  });
  afterAll(() => rmSync(world.base, { recursive: true, force: true }));

  test.each(executed.map(named))('%s', async (_, block) => {
    const how = execute[block.language];
    expect(how, `a block of ${block.language}, wanted ${Object.keys(execute)} or text`).toBeDefined();
    await how?.(block);
  });
});

describe('a block that no test can run is well formed', () => {
  test.each(parsed.map(named))('%s', (_, block) => {
    const how = parses[block.language];
    expect(how, `a block of ${block.language}`).toBeDefined();
    how?.(block.code);
  });

  test('every reason not to run a block is that of one', () => {
    expect(parsed.map(placeOf).sort()).toEqual(Object.keys(PARSED).sort());
    console.log(
      `${executed.length} blocks executed, ${parsed.length} parsed:\n${parsed
        .map((block) => `  ${named(block)[0]} ${PARSED[placeOf(block) ?? '']}`)
        .join('\n')}`,
    );
  });
});
