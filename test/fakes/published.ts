// The published models by their true sizes: config and side files, from the facts in tools/random/models.ts.
import { randomModels } from '../../tools/random/models.js';

export interface Published {
  readonly config: Record<string, unknown>;
  readonly sideFiles: Readonly<Record<string, Record<string, unknown>>>;
  readonly specials: Readonly<Record<string, number>>;
}

export type PublishedName =
  | 'internvl2-2b'
  | 'minicpm-llama3-v-2.5'
  | 'phi-3.5-vision'
  | 'qwen2.5-vl-3b'
  | 'qwen2.5-vl-7b'
  | 'qwen3-vl-2b'
  | 'qwen3-vl-4b'
  | 'qwen3-vl-8b';

/** A copy that a test may change. */
export function published(name: PublishedName): Published {
  const { config, sideFiles, specials } = randomModels[name] as Published;
  return structuredClone({ config, sideFiles, specials });
}
