// The networks at their published sizes: as many parameters, part by part, as the models that they are made of are known to have.
import { describe, expect, test } from 'vitest';
import { findBackbone } from '../../src/backbones/registry.js';
import { addon } from '../../src/engine/binding.js';
import { addonBuilt } from '../fakes/model-folder.js';
import { type PublishedName, published } from '../fakes/published.js';

const INTERNVIT_300M = 304_012_288;
// The published 92,544 rows and nine more, in the table and in the head.
const INTERNLM2_1_8B = 1_889_110_016 + 2 * 9 * 2048;
const LLAMA_3_8B = 8_030_261_248;
const MINICPM_LLAMA3_V_2_5 = 8_537_092_336;
const CLIP_VIT_L_14_336 = 303_507_456;
const PHI_3_MINI = 3_821_079_552;
const QWEN25_3B = 3_085_938_688;
const QWEN25_7B = 7_615_616_512;
const QWEN3_1_7B = 1_720_574_976;
const QWEN3_4B = 4_022_468_096;
const QWEN3_8B = 8_190_735_360;
const affine = (outputs: number, inputs: number) => outputs * inputs + outputs;

describe.skipIf(!addonBuilt)('published sizes (skipped where the addon is not built)', () => {
  test.each<[PublishedName, Record<string, number>]>([
    [
      'internvl2-2b',
      {
        vision: INTERNVIT_300M,
        projector: 2 * 4096 + affine(2048, 4096) + affine(2048, 2048),
        language: INTERNLM2_1_8B,
        total: 2_205_754_368,
      },
    ],
    ['minicpm-llama3-v-2.5', { language: LLAMA_3_8B, total: MINICPM_LLAMA3_V_2_5, tensors: 741 }],
    [
      'phi-3.5-vision',
      {
        vision: CLIP_VIT_L_14_336,
        projector: 2 * 4096 + affine(3072, 4096) + affine(3072, 3072),
        language: PHI_3_MINI,
        total: 4_146_621_440,
      },
    ],
    // Language models and totals as the model cards tell them, from memory.
    ['qwen2.5-vl-3b', { language: QWEN25_3B, total: 3_754_622_976, tensors: 824 }],
    ['qwen2.5-vl-7b', { language: QWEN25_7B, total: 8_292_166_656, tensors: 729 }],
    ['qwen3-vl-2b', { language: QWEN3_1_7B, total: 2_127_532_032, tensors: 625 }],
    ['qwen3-vl-4b', { language: QWEN3_4B, total: 4_437_815_808, tensors: 713 }],
    ['qwen3-vl-8b', { language: QWEN3_8B, total: 8_767_123_696, tensors: 750 }],
  ])('%s', async (name, wanted) => {
    const { config, sideFiles, specials } = published(name);
    const backbone = await findBackbone(config, 'config.json');
    const files = { dir: '', config, side: sideFiles, shapes: () => undefined };
    const shapes = addon().parameterShapes(
      backbone.name,
      backbone.numbers(files, (special) => specials[special] as number),
    );
    const count = (prefixes: readonly string[]) =>
      shapes
        .filter((parameter) => prefixes.some((prefix) => parameter.name.startsWith(prefix)))
        .reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
    const parts = Object.entries(backbone.prefixes).map(([part, prefixes]) => [part, count(prefixes)]);
    expect({ ...Object.fromEntries(parts), total: count(['']), tensors: shapes.length }).toMatchObject(wanted);
  });
});
