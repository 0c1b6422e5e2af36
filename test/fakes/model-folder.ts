// A tiny InternVL2 folder for tests: config, tokenizer and, where the addon is built, random weights.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TensorDtype } from '../../src/checkpoint/safetensors.js';
import { SMALL_VOCABULARY, sentencePieceFile } from './sentencepiece.js';

/** Whether tests that compute can run here. */
export const addonBuilt = existsSync(new URL('../../.native/Release/mstar.node', import.meta.url));

/** Config of a model whose vocabulary is SMALL_VOCABULARY and the special tokens after it. */
export function tinyConfig(): Record<string, unknown> & {
  vision_config: Record<string, unknown>;
  llm_config: Record<string, unknown>;
} {
  return {
    architectures: ['InternVLChatModel'],
    model_type: 'internvl_chat',
    template: 'internlm2-chat',
    ps_version: 'v2',
    select_layer: -1,
    dynamic_image_size: true,
    force_image_size: 28,
    downsample_ratio: 0.5,
    min_dynamic_patch: 1,
    max_dynamic_patch: 4,
    use_thumbnail: true,
    vision_config: {
      model_type: 'intern_vit_6b',
      hidden_size: 16,
      num_hidden_layers: 1,
      num_attention_heads: 2,
      intermediate_size: 32,
      image_size: 28,
      patch_size: 14,
      layer_norm_eps: 1e-6,
      norm_type: 'layer_norm',
      qk_normalization: false,
      qkv_bias: true,
    },
    llm_config: {
      model_type: 'internlm2',
      hidden_size: 16,
      num_hidden_layers: 2,
      num_attention_heads: 2,
      num_key_value_heads: 1,
      intermediate_size: 24,
      vocab_size: SMALL_VOCABULARY.length + 5,
      rms_norm_eps: 1e-5,
      rope_theta: 10000,
      rope_scaling: { type: 'dynamic', factor: 2 },
      max_position_embeddings: 512,
      pad_token_id: 2,
      bias: false,
    },
  };
}

export const tinyTokenizer = sentencePieceFile({ pieces: SMALL_VOCABULARY });

const folders: string[] = [];

/** A new temporary folder, gone after `removeTemporary`. */
export function temporary(): string {
  const dir = mkdtempSync(join(tmpdir(), 'mstar-test-'));
  folders.push(dir);
  return dir;
}

export function removeTemporary(): void {
  for (const dir of folders.splice(0)) rmSync(dir, { recursive: true, force: true });
}

/** Path of a new model folder with random weights. Needs the addon. */
export async function tinyModel(seed = 1, dtype: TensorDtype = 'F32'): Promise<string> {
  const { createCheckpoint } = await import('../../tools/create.js');
  const dir = join(temporary(), 'model');
  await createCheckpoint(dir, tinyConfig(), { 'tokenizer.model': tinyTokenizer }, seed, dtype);
  return dir;
}
