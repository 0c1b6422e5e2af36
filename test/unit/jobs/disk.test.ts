// What a run takes on disk, against sums that are worked out by hand.
import { afterAll, describe, expect, test, vi } from 'vitest';
import { resolveConfig } from '../../../src/config/load.js';
import type { ConfigInput } from '../../../src/config/schema.js';
import type { Diagnosis } from '../../../src/engine/doctor.js';
import { planDisk } from '../../../src/jobs/disk.js';
import { hubServer } from '../../fakes/hub-server.js';
import { removeTemporary, temporary } from '../../fakes/model-folder.js';

afterAll(removeTemporary);

const model = { parameters: 100, trained: 60, dtypes: ['F32'], diskBytes: 400 } as unknown as Diagnosis;
const recipe = (change: Partial<ConfigInput> = {}) =>
  resolveConfig({
    run: { dir: '/tmp/no-such-run', keepCheckpoints: 2 },
    model: { path: 'm' },
    data: { generate: { count: 400 } },
    splits: { validation: 50, test: 50 },
    sampling: { maxTokens: 10 },
    warmup: { enabled: false },
    evolve: { iterations: 5, steps: 0, interval: 40, n: 2, select: { rule: 'all' } },
    explore: { adaptive: false },
    dynamics: { temperatures: [1], samples: 2 },
    test: { samples: 2 },
    ...change,
  });
const bytes = async (change: Partial<ConfigInput> = {}, given: Partial<Diagnosis> = {}) =>
  (await planDisk(recipe(change), { ...model, ...given })).items.map((item) => item.bytes);

describe('the disk space of a run', () => {
  test('has the checkpoints that are kept and a new one, weights with both moments, and one savepoint', async () => {
    const checkpoint = 400 + 8 * 60;
    expect((await bytes()).slice(0, 3)).toEqual([3 * checkpoint, checkpoint, 0]);
    expect((await bytes({ run: { keepCheckpoints: 0, checkpointEvery: 10 } })).slice(0, 2)).toEqual([
      5 * checkpoint,
      2 * checkpoint,
    ]);
  });

  test('has exact copies of weights that the files round, and of an adapter its own numbers alone', async () => {
    const rounded = { dtypes: ['BF16'], diskBytes: 200 };
    expect((await bytes({}, rounded))[1]).toBe(200 + 8 * 60 + 4 * 100);
    expect((await bytes({ model: { path: 'm', adapter: {} } }, rounded))[1]).toBe(4 * 60 + 8 * 60);
  });

  test('has the warm-up, the completer and the PRM, but for a PRM that is made elsewhere', async () => {
    const prm = { enabled: true };
    expect((await bytes({ warmup: {}, prm }))[2]).toBe(3 * 400);
    expect((await bytes({ warmup: {}, prm: { ...prm, path: 'p' } }))[2]).toBe(400);
  });

  test('has every response that the plan samples, at half the longest', async () => {
    // Twice a test of 50 at first, dynamics of 50 greedy and 100 sampled 6 times, 5 iterations of 40 x 2 with a test of 50 each, and
    // at the end 50 greedy and 100 sampled.
    const responses = 50 + 6 * 150 + 5 * (80 + 50) + 150;
    // The largest phase: its pieces, and the parts of its table beside the whole.
    expect((await bytes())[3]).toBe(8 * (responses + 150) * 5 + 16 * 150 * 5);
  });

  test('has the responses to data of the hub', async () => {
    const hub = await hubServer();
    const cache = temporary();
    for (const [name, value] of Object.entries({ HF_ENDPOINT: hub.url, HF_HUB_CACHE: cache, HF_HOME: cache }))
      vi.stubEnv(name, value);
    try {
      const problems = Array.from({ length: 400 }, (_, i) => ({ id: `p${i}`, question: `${i}?`, answer: '1' }));
      hub.publish('datasets/org/set', { commit: '1'.repeat(40), files: { 'data.json': JSON.stringify(problems) } });
      const { uncounted, items } = await planDisk(recipe({ data: { file: 'hf:datasets/org/set/data.json' } }), model);
      expect(uncounted).toBeNull();
      expect(items[3]?.bytes).toBe((await bytes())[3]);
    } finally {
      vi.unstubAllEnvs();
      await hub.close();
    }
  });

  test('says why tables are not counted where the data cannot be read', async () => {
    const { uncounted, items } = await planDisk(recipe({ data: { file: '/tmp/no-such-data.json' } }), model);
    expect(uncounted).toContain('/tmp/no-such-data.json');
    expect(items[3]?.bytes).toBe(0);
  });
});
