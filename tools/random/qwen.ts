// The true sizes of Qwen2.5-VL and Qwen3-VL, from copies of their config.json; what no copy was seen of is marked.
import type { RandomModel } from './models.js';

const specials = {
  '<|endoftext|>': 151643,
  '<|im_start|>': 151644,
  '<|im_end|>': 151645,
  '<|vision_start|>': 151652,
  '<|vision_end|>': 151653,
  '<|image_pad|>': 151655,
};
const ids = { image_token_id: 151655, vision_start_token_id: 151652, vision_end_token_id: 151653 };

function qwen25(sizes: Readonly<Record<string, number>>, tied: boolean): RandomModel {
  const config = {
    architectures: ['Qwen2_5_VLForConditionalGeneration'],
    model_type: 'qwen2_5_vl',
    ...ids,
    ...sizes,
    hidden_act: 'silu',
    max_position_embeddings: 128000,
    max_window_layers: sizes.num_hidden_layers,
    rms_norm_eps: 1e-6,
    rope_theta: 1e6,
    rope_scaling: { type: 'mrope', mrope_section: [16, 24, 24] },
    sliding_window: 32768,
    use_sliding_window: false,
    tie_word_embeddings: tied,
    torch_dtype: 'bfloat16',
    vision_config: {
      depth: 32,
      hidden_act: 'silu',
      hidden_size: 1280,
      intermediate_size: 3420,
      num_heads: 16,
      in_chans: 3,
      out_hidden_size: sizes.hidden_size,
      patch_size: 14,
      spatial_merge_size: 2,
      temporal_patch_size: 2,
      window_size: 112,
      fullatt_block_indexes: [7, 15, 23, 31],
    },
  };
  const preprocessor = {
    ...{ min_pixels: 3136, max_pixels: 12845056, patch_size: 14, temporal_patch_size: 2, merge_size: 2 },
    image_mean: [0.48145466, 0.4578275, 0.40821073],
    image_std: [0.26862954, 0.26130258, 0.27577711],
    image_processor_type: 'Qwen2VLImageProcessor',
  };
  return { config, shardBytes: 4e9, specials, sideFiles: { 'preprocessor_config.json': preprocessor } };
}

function qwen3(
  sizes: Readonly<Record<string, number>>,
  vision: Readonly<Record<string, unknown>>,
  tied: boolean,
): RandomModel {
  const config = {
    architectures: ['Qwen3VLForConditionalGeneration'],
    model_type: 'qwen3_vl',
    ...ids,
    tie_word_embeddings: tied,
    text_config: {
      model_type: 'qwen3_vl_text',
      ...sizes,
      attention_bias: false,
      dtype: 'bfloat16',
      head_dim: 128,
      hidden_act: 'silu',
      max_position_embeddings: 262144,
      num_key_value_heads: 8,
      rms_norm_eps: 1e-6,
      rope_theta: 5e6,
      rope_scaling: { mrope_interleaved: true, mrope_section: [24, 20, 20], rope_type: 'default' },
      vocab_size: 151936,
    },
    vision_config: {
      model_type: 'qwen3_vl',
      ...vision,
      hidden_act: 'gelu_pytorch_tanh',
      in_channels: 3,
      num_heads: 16,
      num_position_embeddings: 2304,
      out_hidden_size: sizes.hidden_size,
      patch_size: 16,
      spatial_merge_size: 2,
      temporal_patch_size: 2,
    },
  };
  const preprocessor = {
    size: { longest_edge: 16777216, shortest_edge: 65536 },
    ...{ patch_size: 16, temporal_patch_size: 2, merge_size: 2 },
    image_mean: [0.5, 0.5, 0.5],
    image_std: [0.5, 0.5, 0.5],
    image_processor_type: 'Qwen2VLImageProcessorFast',
  };
  return { config, shardBytes: 5e9, specials, sideFiles: { 'preprocessor_config.json': preprocessor } };
}

const small = { depth: 24, hidden_size: 1024, intermediate_size: 4096, deepstack_visual_indexes: [5, 11, 17] };
const large = { depth: 27, hidden_size: 1152, intermediate_size: 4304, deepstack_visual_indexes: [8, 16, 24] };

export const qwenModels: Readonly<Record<string, RandomModel>> = {
  'qwen2.5-vl-3b': qwen25(
    {
      ...{ hidden_size: 2048, intermediate_size: 11008, vocab_size: 151936 },
      ...{ num_attention_heads: 16, num_hidden_layers: 36, num_key_value_heads: 2 },
    },
    true,
  ),
  'qwen2.5-vl-7b': qwen25(
    {
      ...{ hidden_size: 3584, intermediate_size: 18944, vocab_size: 152064 },
      ...{ num_attention_heads: 28, num_hidden_layers: 28, num_key_value_heads: 4 },
    },
    false,
  ),
  // The sizes of 2B are from memory.
  'qwen3-vl-2b': qwen3(
    { hidden_size: 2048, intermediate_size: 6144, num_attention_heads: 16, num_hidden_layers: 28 },
    small,
    true,
  ),
  'qwen3-vl-4b': qwen3(
    { hidden_size: 2560, intermediate_size: 9728, num_attention_heads: 32, num_hidden_layers: 36 },
    small,
    true,
  ),
  'qwen3-vl-8b': qwen3(
    { hidden_size: 4096, intermediate_size: 12288, num_attention_heads: 32, num_hidden_layers: 36 },
    large,
    false,
  ),
};
