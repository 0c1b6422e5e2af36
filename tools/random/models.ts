// The true sizes of the published models, as facts to make random weights of: config, special ids, shards.
// Their tokenizers are made by make.ts: the texts are a few bytes, the special ids the real ones.

import { qwenModels } from './qwen.js';

const internvl2 = {
  architectures: ['InternVLChatModel'],
  model_type: 'internvl_chat',
  template: 'internlm2-chat',
  ps_version: 'v2',
  select_layer: -1,
  dynamic_image_size: true,
  force_image_size: 448,
  downsample_ratio: 0.5,
  min_dynamic_patch: 1,
  max_dynamic_patch: 12,
  use_thumbnail: true,
  torch_dtype: 'bfloat16',
  vision_config: {
    model_type: 'intern_vit_6b',
    hidden_size: 1024,
    num_hidden_layers: 24,
    num_attention_heads: 16,
    intermediate_size: 4096,
    image_size: 448,
    patch_size: 14,
    layer_norm_eps: 1e-6,
    norm_type: 'layer_norm',
    qk_normalization: false,
    qkv_bias: true,
  },
  llm_config: {
    model_type: 'internlm2',
    hidden_size: 2048,
    num_hidden_layers: 24,
    num_attention_heads: 16,
    num_key_value_heads: 8,
    intermediate_size: 8192,
    vocab_size: 92553,
    rms_norm_eps: 1e-5,
    rope_theta: 1e6,
    rope_scaling: { type: 'dynamic', factor: 2 },
    max_position_embeddings: 32768,
    pad_token_id: 2,
    bias: false,
  },
};

/** Factors that grow as the published ones do; their exact values do not matter for sizes and speed. */
const factors = (last: number) => Array.from({ length: 48 }, (_, i) => Math.round(1e4 * last ** (i / 47)) / 1e4);

const phi3v = {
  architectures: ['Phi3VForCausalLM'],
  model_type: 'phi3_v',
  embd_layer: {
    embedding_cls: 'image',
    hd_transform_order: 'sub_glb',
    projection_cls: 'mlp',
    use_hd_transform: true,
    with_learnable_separator: true,
  },
  img_processor: {
    image_dim_out: 1024,
    model_name: 'openai/clip-vit-large-patch14-336',
    name: 'clip_vision_model',
    num_img_tokens: 144,
  },
  hidden_act: 'silu',
  hidden_size: 3072,
  intermediate_size: 8192,
  num_attention_heads: 32,
  num_hidden_layers: 32,
  num_key_value_heads: 32,
  max_position_embeddings: 131072,
  original_max_position_embeddings: 4096,
  pad_token_id: 32000,
  rms_norm_eps: 1e-5,
  rope_scaling: { long_factor: factors(64), short_factor: factors(3), type: 'su' },
  rope_theta: 10000,
  sliding_window: 262144,
  tie_word_embeddings: false,
  torch_dtype: 'bfloat16',
  vocab_size: 32064,
};

const minicpm = {
  version: '2.5',
  architectures: ['MiniCPMV'],
  model_type: 'minicpmv',
  batch_vision_input: true,
  drop_vision_last_layer: false,
  hidden_act: 'silu',
  hidden_size: 4096,
  image_size: 448,
  intermediate_size: 14336,
  max_position_embeddings: 8192,
  num_attention_heads: 32,
  num_hidden_layers: 32,
  num_key_value_heads: 8,
  patch_size: 14,
  query_num: 96,
  rms_norm_eps: 1e-5,
  rope_scaling: null,
  rope_theta: 500000,
  slice_config: { max_slice_nums: 9, patch_size: 14, model_type: 'minicpmv' },
  slice_mode: true,
  tie_word_embeddings: false,
  torch_dtype: 'bfloat16',
  vision_config: {
    hidden_size: 1152,
    image_size: 980,
    intermediate_size: 4304,
    model_type: 'idefics2',
    num_attention_heads: 16,
    num_hidden_layers: 27,
    patch_size: 14,
  },
  vocab_size: 128256,
};

export interface RandomModel {
  readonly config: Readonly<Record<string, unknown>>;
  /** Most bytes of a weight file; null for one file. */
  readonly shardBytes: number | null;
  /** Id of each special token. */
  readonly specials: Readonly<Record<string, number>>;
  /** Contents of further files that the backbone reads, by name. */
  readonly sideFiles: Readonly<Record<string, object>>;
}

export const randomModels: Readonly<Record<string, RandomModel>> = {
  ...qwenModels,
  'internvl2-2b': {
    config: internvl2,
    shardBytes: null,
    specials: { '<|im_end|>': 92542, '<|im_start|>': 92543, '<img>': 92544, '</img>': 92545, '<IMG_CONTEXT>': 92546 },
    sideFiles: {},
  },
  'phi-3.5-vision': {
    config: phi3v,
    shardBytes: 5e9,
    specials: {
      '<unk>': 0,
      '<s>': 1,
      '</s>': 2,
      '<|endoftext|>': 32000,
      '<|assistant|>': 32001,
      '<|system|>': 32006,
      '<|end|>': 32007,
      '<|user|>': 32010,
    },
    sideFiles: { 'preprocessor_config.json': { num_crops: 4, num_img_tokens: 144 } },
  },
  'minicpm-llama3-v-2.5': {
    config: minicpm,
    shardBytes: 2.5e9,
    specials: {
      '<|begin_of_text|>': 128000,
      '<|end_of_text|>': 128001,
      '<unk>': 128002,
      '<|start_header_id|>': 128006,
      '<|end_header_id|>': 128007,
      '<|eot_id|>': 128009,
      '<image>': 128010,
      '</image>': 128011,
      '<slice>': 128020,
      '</slice>': 128021,
    },
    sideFiles: {
      'preprocessor_config.json': { max_slice_nums: 9, scale_resolution: 448, patch_size: 14, image_feature_size: 96 },
    },
  },
};
