// A run whose model is named on the hub: it keeps the name, and goes on with the commit that it began with.
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { evolve } from '../../src/jobs/jobs.js';
import { fakeHost } from '../fakes/host.js';
import { hubServer } from '../fakes/hub-server.js';
import { removeTemporary, temporary } from '../fakes/model-folder.js';
import { pngFile } from '../fakes/png.js';
import { smallRecipe } from './recipe.js';

afterAll(removeTemporary);

const [FIRST, SECOND] = ['1'.repeat(40), '2'.repeat(40)] as const;
const MODEL = 'hf:org/model';

/** A state of the repository whose model has learnt so much. */
const state = (commit: string, skill: number) => ({
  commit,
  files: {
    'config.json': '{}',
    'model.safetensors': 'none',
    'tokenizer.json': '[]',
    'preprocessor_config.json': '{ }',
    'model.json': JSON.stringify({ skill, bias: 0, slope: 0 }),
  },
});

test('a run keeps the name as it was written and the commit, which it goes on with and hands on', async () => {
  const hub = await hubServer();
  const [root, cache] = [temporary(), temporary()];
  for (const [name, value] of Object.entries({ HF_ENDPOINT: hub.url, HF_HUB_CACHE: cache, HF_HOME: cache }))
    vi.stubEnv(name, value);
  try {
    const run = (name: string, until: 'warmup' | 'label', from?: string) =>
      evolve(smallRecipe(root, name, { model: { path: MODEL, threads: 1 } }), {
        host: fakeHost(),
        until,
        ...(from && { from }),
      });
    const kept = (name: string) => {
      const { hub, model } = parse(readFileSync(join(root, name, 'config.yaml'), 'utf8'));
      return [model.path, hub];
    };
    hub.publish('models/org/model', state(FIRST, 0));
    await run('a', 'warmup');
    expect(kept('a')).toEqual([MODEL, { [MODEL]: FIRST }]);
    hub.publish('models/org/model', state(SECOND, 2));
    rmSync(cache, { recursive: true });
    await run('a', 'label');
    expect(kept('a')).toEqual([MODEL, { [MODEL]: FIRST }]);
    await run('b', 'label', join(root, 'a'));
    expect(kept('b')).toEqual([MODEL, { [MODEL]: FIRST }]);
    rmSync(cache, { recursive: true });
    await run('c', 'warmup');
    expect(kept('c')).toEqual([MODEL, { [MODEL]: SECOND }]);
  } finally {
    vi.unstubAllEnvs();
    await hub.close();
  }
});

test('examples and labels of the hub have their pictures there too', async () => {
  const hub = await hubServer();
  const [root, cache] = [temporary(), temporary()];
  for (const [name, value] of Object.entries({ HF_ENDPOINT: hub.url, HF_HUB_CACHE: cache, HF_HOME: cache }))
    vi.stubEnv(name, value);
  try {
    const turns = [
      { role: 'user', content: '<image>How many?' },
      { role: 'assistant', content: 'The answer is 2' },
    ];
    // The simulated learner knows only problems that were made here.
    const host = {
      ...fakeHost(),
      openPolicy: async (dir: string) =>
        Object.assign(await fakeHost().openPolicy(dir), {
          trainStep: async () => ({ loss: 0, gradNorm: 0, lr: 0, tokens: 1, version: 1 }),
        }),
    };
    hub.publish('datasets/org/data', {
      commit: FIRST,
      files: {
        'pictures/a.png': pngFile({ width: 1, height: 1, rows: [[1, 2, 3]] }),
        'examples.jsonl': JSON.stringify({ messages: turns, images: ['a.png'] }),
        'labels.jsonl': JSON.stringify({
          ...{ question: 'How many?', image: 'a.png', answer: '2' },
          steps_with_score: [{ step: 'The answer is 2', score: 1 }],
        }),
      },
    });
    const named = (file: string) => ({
      file: `hf:datasets/org/data/${file}`,
      imageRoot: 'hf:datasets/org/data/pictures',
    });
    const small = smallRecipe(root, 'a', {
      warmup: { from: named('examples.jsonl') },
      prm: { labels: named('labels.jsonl'), completerEpochs: 0 },
    });
    const { warmup } = await evolve(small, { host, until: 'label' });
    expect(warmup?.choice.selected).toBe(1);
    expect(readFileSync(join(root, 'a/labels.jsonl'), 'utf8')).toContain('"text":"The answer is 2"');
  } finally {
    vi.unstubAllEnvs();
    await hub.close();
  }
});
