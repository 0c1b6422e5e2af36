// What the embedded checkpoint is: sizes, prompts, the texts its tokenizer is learnt from, and the course it is trained by.
// make.ts trains it.
import { families, pictureSide } from '#src/problems/families.js';
import { problemAt } from '#src/problems/write.js';
import { type TrainedTokenizer, trainTokenizer } from './tokenizer.js';

/** Prompt texts; assets/presets/demo.yaml uses the same. */
export const tinyPrompt = {
  system: 'Solve.',
  solve: '{question}',
  givenAnswer: '{question}\nThe answer is {answer}.',
};

/** A part of the course. Shares are of the examples of a batch; the rest are problems of the narrow range. */
export interface CourseStage {
  readonly name: string;
  readonly steps: number;
  readonly lr: number;
  /** Lessons in reading. */
  readonly lessons: number;
  /** Problems of the full range. */
  readonly wide: number;
}

/**
 * Values 1 to `narrow` are learnt well, values up to 9 only touched: the model then explores on the full range (Pass@16 far above
 * greedy), which is what self-evolving needs. A base that knows too little gains nothing from its own lucky answers, one that has
 * seen nothing of the full range does not explore.
 */
export const tinyCourse = {
  seed: 1,
  batch: 32,
  narrow: 6,
  /** Share of examples whose prompt shows the answer, so that the warm-up can sample with it. */
  givenAnswer: 1 / 6,
  stages: [
    { name: 'lessons', steps: 900, lr: 1e-3, lessons: 1, wide: 0 },
    { name: 'problems', steps: 2800, lr: 1e-3, lessons: 0.25, wide: 0 },
    { name: 'settle', steps: 700, lr: 3e-4, lessons: 0.125, wide: 0 },
    { name: 'taste', steps: 160, lr: 5e-4, lessons: 0, wide: 0.25 },
  ] satisfies CourseStage[],
} as const;

/** Learns the tokenizer from problems of all families: every word, sign and digit of the task becomes one piece. */
export function tinyTokenizer(): TrainedTokenizer {
  const texts = ['system\nSolve.', 'user\n', 'assistant\n'];
  for (let index = 0; index < 800; index++) {
    const { problem } = problemAt({ count: 800, seed: tinyCourse.seed, range: 9 }, index);
    texts.push(problem.question, problem.truth.steps.join('\n'), `\nThe answer is ${problem.answer}.`);
  }
  for (const { introduction, names } of Object.values(families))
    texts.push(`${introduction} What is ${names.join(' ')}?`);
  for (let value = 0; value < 40; value++) texts.push(` ${value} (${value})`);
  return trainTokenizer(texts, 400);
}

/** config.json of the checkpoint; `vocabulary` counts pieces and special tokens. */
export function tinyConfig(vocabulary: number): Record<string, unknown> {
  return {
    architectures: ['InternVLChatModel'],
    model_type: 'internvl_chat',
    downsample_ratio: 0.5,
    dynamic_image_size: true,
    force_image_size: pictureSide,
    max_dynamic_patch: 1,
    min_dynamic_patch: 1,
    ps_version: 'v2',
    select_layer: -1,
    template: 'internlm2-chat',
    torch_dtype: 'float16',
    use_thumbnail: true,
    llm_config: {
      architectures: ['InternLM2ForCausalLM'],
      bias: false,
      bos_token_id: 1,
      eos_token_id: 2,
      hidden_act: 'silu',
      hidden_size: 96,
      intermediate_size: 192,
      max_position_embeddings: 1024,
      model_type: 'internlm2',
      num_attention_heads: 4,
      num_hidden_layers: 3,
      num_key_value_heads: 2,
      pad_token_id: 2,
      rms_norm_eps: 1e-5,
      rope_scaling: { factor: 2, type: 'dynamic' },
      rope_theta: 1000000,
      tie_word_embeddings: false,
      vocab_size: vocabulary,
    },
    vision_config: {
      architectures: ['InternVisionModel'],
      attention_dropout: 0,
      drop_path_rate: 0,
      dropout: 0,
      hidden_act: 'gelu',
      hidden_size: 64,
      image_size: pictureSide,
      initializer_factor: 1,
      initializer_range: 0.02,
      intermediate_size: 128,
      layer_norm_eps: 1e-6,
      model_type: 'intern_vit_6b',
      norm_type: 'layer_norm',
      num_attention_heads: 4,
      num_channels: 3,
      num_hidden_layers: 2,
      patch_size: 7,
      qk_normalization: false,
      qkv_bias: true,
      use_flash_attn: false,
    },
  };
}
