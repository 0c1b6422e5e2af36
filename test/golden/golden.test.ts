// Every golden folder at hand, where the addon is built; and that a wrong model is noticed and its first stage named.
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { findBackbone } from '../../src/backbones/registry.js';
import { openFolder } from '../../src/checkpoint/folder.js';
import { runGolden } from '../../tools/golden/run.js';
import { addonBuilt, removeTemporary, temporary } from '../fakes/model-folder.js';

afterAll(removeTemporary);

interface Folder {
  readonly name: string;
  /** Places that a run has to pass through, and the least number of checks. */
  readonly places: readonly string[];
  readonly checks: number;
  /** A parameter, and the stage of `seen` at which a change of it is first seen. */
  readonly seen: string;
  readonly changes: readonly (readonly [tensor: string, stage: string])[];
}

const folders: readonly Folder[] = [
  {
    name: 'internvl2-2b',
    places: ['sft', 'prm', 'extra/rope_dynamic_ntk', 'cases/two_images_multi_turn'],
    checks: 124,
    seen: 'cases/one_image_tiled',
    changes: [
      ['vision_model.embeddings.patch_embedding.bias', 'vision_tower_output'],
      ['mlp1.1.weight', 'projector_output'],
      ['language_model.model.norm.weight', 'logits'],
    ],
  },
  {
    name: 'minicpm-llama3-v-2_5',
    places: [
      'sft',
      'prm',
      'extras/slicing_448',
      'extras/vision_positions_70',
      'extras/resampler_two_heads',
      'cases/sliced_3x2',
    ],
    checks: 149,
    seen: 'cases/sliced_3x2',
    changes: [
      ['vpm.embeddings.patch_embedding.bias', 'vision_tower_output'],
      ['resampler.proj', 'resampler_output'],
      ['llm.model.norm.weight', 'logits'],
    ],
  },
  {
    name: 'phi-3_5-vision',
    places: ['sft', 'prm', 'cases/rope_switch', 'cases/batch_pad 1', 'cases/two_images'],
    checks: 143,
    seen: 'cases/image_small',
    changes: [
      ['model.vision_embed_tokens.img_processor.vision_model.embeddings.class_embedding', 'vision_tower_output.0'],
      ['model.vision_embed_tokens.glb_GN', 'image_embeds.0'],
      ['model.norm.weight', 'hidden_last.2'],
    ],
  },
  {
    name: 'qwen2_5-vl',
    places: ['sft', 'prm', 'extra/position_ids', 'extra/image_sizes 3136', 'cases/batch_two_prompts 1'],
    checks: 150,
    seen: 'cases/one_image_small',
    changes: [
      ['visual.patch_embed.proj.weight', 'patch_embed_output'],
      ['visual.blocks.0.norm1.weight', 'vision_block_outputs'],
      ['visual.merger.ln_q.weight', 'projector_output'],
      ['model.norm.weight', 'final_hidden'],
    ],
  },
  {
    name: 'qwen3-vl',
    places: ['sft', 'prm', 'extra/position_ids', 'extra/image_sizes 65536', 'cases/batch_two_prompts 1'],
    checks: 150,
    seen: 'cases/one_image_small',
    changes: [
      ['model.visual.patch_embed.proj.bias', 'patch_embed_output'],
      ['model.visual.pos_embed.weight', 'position_embedding_output'],
      ['model.visual.blocks.0.norm1.bias', 'vision_block_outputs'],
      ['model.visual.deepstack_merger_list.1.norm.bias', 'deepstack_features'],
      ['model.visual.merger.norm.bias', 'projector_output'],
      ['model.language_model.norm.weight', 'final_hidden'],
    ],
  },
];

/** Why the folder cannot be checked here; empty where it can. */
async function obstacle(dir: string): Promise<string> {
  if (!addonBuilt) return ' (skipped: the addon is not built)';
  if (!existsSync(dir)) return ` (skipped: ${dir} is absent)`;
  const { config } = await openFolder(dir);
  return findBackbone(config, dir).then(
    () => '',
    () => ' (skipped: this build has no backbone for it)',
  );
}

for (const { name, places, checks, seen, changes } of folders) {
  const dir = fileURLToPath(new URL(`../../../shared/golden/${name}`, import.meta.url));
  const why = await obstacle(dir);
  describe.skipIf(why !== '')(`${name}${why}`, () => {
    test('every stage of every case agrees with the reference', async () => {
      const lines = await runGolden(dir, () => {});
      expect(lines.filter(({ ok }) => !ok)).toEqual([]);
      expect(lines.length).toBeGreaterThanOrEqual(checks);
      for (const place of places) expect(lines.map((line) => line.place)).toContain(place);
    });

    test.each(changes)('a changed %s is first seen at %s', async (tensor, stage) => {
      const lines = await runGolden(await changedCopy(dir, seen, tensor), () => {});
      expect(lines.find(({ ok }) => !ok)?.stage).toBe(stage);
    });
  });
}

/** The model and one case, the first number of `tensor` changed to 3. */
async function changedCopy(dir: string, kept: string, tensor: string): Promise<string> {
  const copy = join(temporary(), 'copy');
  const folders = readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const left = new Set(folders.map(({ name }) => join(dir, name)));
  cpSync(dir, copy, { recursive: true, filter: (file) => !left.has(file) });
  cpSync(join(dir, kept), join(copy, kept), { recursive: true });
  const { weights } = await openFolder(copy);
  const file = weights.find(({ tensors }) => tensors.some(({ name }) => name === tensor));
  const range = file?.tensors.find(({ name }) => name === tensor);
  const bytes = Uint8Array.from(readFileSync(file?.path as string));
  new DataView(bytes.buffer).setFloat32(range?.begin as number, 3, true);
  writeFileSync(file?.path as string, bytes, { mode: 0o644 });
  return copy;
}
