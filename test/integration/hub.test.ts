// A run whose model is named on the hub: it keeps the name, and goes on with the commit that it began with.
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { evolve } from '../../src/jobs/jobs.js';
import { fakeHost } from '../fakes/host.js';
import { hubServer } from '../fakes/hub-server.js';
import { removeTemporary, temporary } from '../fakes/model-folder.js';
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
