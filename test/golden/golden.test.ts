// Every golden folder at hand, where the addon is built; and that a wrong model is noticed and its first stage named.
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { readSafetensors } from '../../src/checkpoint/safetensors.js';
import { runGolden } from '../../src/golden/run.js';
import { addonBuilt, removeTemporary, temporary } from '../fakes/model-folder.js';

afterAll(removeTemporary);

const folder = fileURLToPath(new URL('../../../shared/golden/internvl2-2b', import.meta.url));
const missing = existsSync(folder) ? '' : ` (skipped: ${folder} is absent)`;

describe.skipIf(missing !== '' || !addonBuilt)(
  `InternVL2${missing}${addonBuilt ? '' : ' (skipped: the addon is not built)'}`,
  () => {
    test('every stage of every case agrees with the reference', async () => {
      const lines = await runGolden(folder, () => {});
      expect(lines.filter(({ ok }) => !ok)).toEqual([]);
      expect(lines.length).toBeGreaterThan(100);
      for (const place of ['sft', 'prm', 'extra/rope_dynamic_ntk', 'cases/two_images_multi_turn']) {
        expect(lines.some((line) => line.place === place)).toBe(true);
      }
    });

    /** Lines that differ for a copy in which one number of `tensor` was changed. */
    async function differing(tensor: string): Promise<string[]> {
      const copy = join(temporary(), 'copy');
      cpSync(folder, copy, { recursive: true });
      const file = join(copy, 'model.safetensors');
      const range = (await readSafetensors(file)).tensors.find(({ name }) => name === tensor);
      const bytes = Uint8Array.from(readFileSync(file));
      new DataView(bytes.buffer).setFloat32(range?.begin as number, 3, true);
      writeFileSync(file, bytes, { mode: 0o644 });
      const lines = await runGolden(copy, () => {});
      return lines.filter(({ ok, place }) => !ok && place === 'cases/one_image_tiled').map(({ stage }) => stage);
    }

    test.each([
      ['vision_model.embeddings.patch_embedding.bias', 'vision_tower_output'],
      ['mlp1.1.weight', 'projector_output'],
      ['language_model.model.norm.weight', 'logits'],
    ])('a changed %s is first seen at %s', async (tensor, stage) => {
      expect((await differing(tensor))[0]).toBe(stage);
    });
  },
);
