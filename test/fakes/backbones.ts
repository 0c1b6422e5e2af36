// A tiny folder of every backbone, in the form of its published checkpoint: config, tokenizer and side files.
// A backbone of src/backbones without an entry here fails test/native/backbones.test.ts.
import { join } from 'node:path';
import { backbone as minicpm } from '../../src/backbones/minicpm.js';
import { backbone as qwen } from '../../src/backbones/qwen3_vl.js';
import type { ParameterShape } from '../../src/checkpoint/parameters.js';
import type { TensorDtype } from '../../src/checkpoint/safetensors.js';
import { temporary, tinyConfig, tinyTokenizer } from './model-folder.js';
import { byteLevelDocument, fileOf, textPiecesDocument } from './tokenizer-json.js';

interface Tiny {
  readonly config: Record<string, unknown>;
  readonly files: Record<string, Uint8Array>;
  readonly sized?: readonly ParameterShape[];
}

const TOWER = 'model.vision_embed_tokens.img_processor.vision_model.';

const byteLevel = fileOf(byteLevelDocument({ merges: [], added: minicpm.specials }));
const qwenTokens = fileOf(byteLevelDocument({ merges: [], added: qwen.specials }));
const textPieces = fileOf(
  textPiecesDocument(
    { merges: [], added: ['<|endoftext|>', '<|assistant|>', '<|system|>', '<|end|>', '<|user|>'] },
    'abc',
  ),
);

export const tinyBackbones: Readonly<Record<string, Tiny>> = {
  internvl2: { config: tinyConfig(), files: { 'tokenizer.model': tinyTokenizer } },
  minicpm: {
    config: {
      model_type: 'minicpmv',
      version: '2.5',
      drop_vision_last_layer: false,
      hidden_size: 128,
      num_hidden_layers: 2,
      num_attention_heads: 4,
      num_key_value_heads: 2,
      intermediate_size: 48,
      vocab_size: 272,
      query_num: 4,
      max_position_embeddings: 512,
      rms_norm_eps: 1e-5,
      rope_theta: 500000,
      vision_config: {
        model_type: 'idefics2',
        hidden_size: 16,
        num_hidden_layers: 1,
        num_attention_heads: 2,
        intermediate_size: 24,
        image_size: 56,
        patch_size: 14,
      },
    },
    files: {
      'tokenizer.json': byteLevel,
      'preprocessor_config.json': fileOf({ max_slice_nums: 9, scale_resolution: 42, patch_size: 14 }),
    },
  },
  phi3v: {
    config: {
      model_type: 'phi3_v',
      architectures: ['Phi3VForCausalLM'],
      embd_layer: {
        embedding_cls: 'image',
        hd_transform_order: 'sub_glb',
        projection_cls: 'mlp',
        use_hd_transform: true,
        with_learnable_separator: true,
      },
      img_processor: { image_dim_out: 32, name: 'clip_vision_model', num_img_tokens: 4 },
      hidden_size: 32,
      num_hidden_layers: 2,
      num_attention_heads: 4,
      num_key_value_heads: 4,
      intermediate_size: 48,
      vocab_size: 288,
      pad_token_id: 0,
      rms_norm_eps: 1e-5,
      max_position_embeddings: 131072,
      original_max_position_embeddings: 4096,
      rope_scaling: { type: 'su', short_factor: [1, 1.5, 2, 3], long_factor: [1, 4, 16, 64] },
      sliding_window: null,
    },
    files: { 'tokenizer.json': textPieces, 'preprocessor_config.json': fileOf({ num_crops: 4 }) },
    // One layer, crops of 4 x 4 patches.
    sized: [
      { name: `${TOWER}embeddings.position_embedding.weight`, shape: [17, 32] },
      { name: `${TOWER}embeddings.patch_embedding.weight`, shape: [32, 3, 14, 14] },
      { name: `${TOWER}encoder.layers.0.mlp.fc1.weight`, shape: [48, 32] },
    ],
  },
  // As published: the language model's fields lie flat, and its head is the token table.
  qwen2_5_vl: {
    config: {
      model_type: 'qwen2_5_vl',
      hidden_size: 32,
      num_hidden_layers: 2,
      num_attention_heads: 4,
      num_key_value_heads: 2,
      intermediate_size: 48,
      vocab_size: 272,
      max_position_embeddings: 512,
      tie_word_embeddings: true,
      rope_theta: 10000,
      rope_scaling: { type: 'mrope', mrope_section: [2, 1, 1] },
      vision_config: {
        ...{ depth: 2, hidden_size: 16, num_heads: 2, intermediate_size: 24, patch_size: 7 },
        ...{ window_size: 28, fullatt_block_indexes: [1], out_hidden_size: 32 },
      },
    },
    files: {
      'tokenizer.json': qwenTokens,
      'preprocessor_config.json': fileOf({ patch_size: 7, min_pixels: 784, max_pixels: 7840 }),
    },
  },
  // Heads that are wider than the hidden states' share, features for two layers.
  qwen3_vl: {
    config: {
      model_type: 'qwen3_vl',
      text_config: {
        hidden_size: 24,
        num_hidden_layers: 3,
        num_attention_heads: 4,
        num_key_value_heads: 2,
        head_dim: 12,
        intermediate_size: 48,
        vocab_size: 272,
        max_position_embeddings: 512,
        rope_theta: 10000,
        rope_scaling: { rope_type: 'default', mrope_section: [2, 2, 2], mrope_interleaved: true },
      },
      vision_config: {
        ...{ depth: 3, hidden_size: 16, num_heads: 2, intermediate_size: 24, patch_size: 8 },
        ...{ num_position_embeddings: 16, deepstack_visual_indexes: [0, 1], out_hidden_size: 24 },
      },
    },
    files: {
      'tokenizer.json': qwenTokens,
      'preprocessor_config.json': fileOf({ size: { shortest_edge: 1024, longest_edge: 10240 } }),
    },
  },
};

/** Path of a new folder with random weights. Needs the addon. */
export async function tinyBackbone(name: string, dtype: TensorDtype = 'F32', seed = 1): Promise<string> {
  const { createCheckpoint } = await import('../../tools/create.js');
  const { config, files, sized } = tinyBackbones[name] as Tiny;
  const dir = join(temporary(), name);
  await createCheckpoint(dir, config, files, seed, dtype, sized);
  return dir;
}
