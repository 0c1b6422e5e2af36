// A run on a small random Qwen3-VL: adapters, several processes, limits of pictures, and the plans of the paper's recipes.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { listPresets } from '../../src/config/presets.js';
import { doctor } from '../../src/jobs/check.js';
import { tinyBackbone } from '../fakes/backbones.js';
import { addonBuilt, removeTemporary } from '../fakes/model-folder.js';
import { RanksJob } from './ranks-job.js';

afterAll(removeTemporary);

describe.skipIf(!addonBuilt)('Qwen3-VL (skipped where the addon is not built)', () => {
  test('trains adapters over two processes to the bytes of one', { timeout: 300_000 }, async () => {
    const path = await tinyBackbone('qwen3_vl', 'BF16');
    const optimizer = { lr: 1e-3, batchSize: 8 };
    // Random weights find no right answer: the labelled ones are trained on.
    const job = new RanksJob({
      model: { path, threads: 1, maxPixels: 4096, adapter: { rank: 2 } },
      data: { generate: { count: 40 } },
      splits: { validation: 4, test: 4, labelled: 1 },
      sampling: { maxTokens: 4 },
      warmup: { enabled: false },
      evolve: { method: 'sft', steps: 4, iterations: 2, interval: 16, n: 2, optimizer },
      dynamics: { samples: 2, temperatures: [1] },
      test: { samples: 2 },
      explore: { adaptive: false },
    });
    try {
      for (const [name, processes] of [
        ['one', 1],
        ['two', 2],
      ] as const)
        expect(await job.start(name, processes).ended).toEqual({ code: 0, text: '' });
      expect(job.files('two')).toEqual(job.files('one'));
      const checkpoint = join(job.root, 'one/checkpoints/iter-0001');
      expect(existsSync(join(checkpoint, 'model.safetensors'))).toBe(false);
      const adapter = JSON.parse(readFileSync(join(checkpoint, 'adapter_config.json'), 'utf8'));
      expect(adapter).toMatchObject({ r: 2, base_model_name_or_path: path });
      expect(adapter.target_modules).toContain('model.language_model.layers.2.self_attn.o_proj');
      const journal = readFileSync(join(job.root, 'one/journal.jsonl'), 'utf8');
      expect(journal.match(/"event":"step"/g)).toHaveLength(4);
    } finally {
      job.remove();
    }
  });

  test('is planned for by every recipe of the paper', async () => {
    const model = await tinyBackbone('qwen3_vl');
    const presets = (await listPresets()).filter((name) => name.startsWith('paper'));
    expect(presets.length).toBeGreaterThan(20);
    for (const preset of presets) {
      const { plans } = await doctor(model, { preset, gpus: [8] });
      const phases = plans[0]?.phases.map(({ phase, total }) => [phase, total > 0]);
      expect(phases).toEqual(['rollout', 'labelling', 'training', 'scoring'].map((phase) => [phase, true]));
    }
  });
});
