// How much memory each phase of a run takes, worked out from shapes alone: nothing is loaded. Figures are bytes.
import type { DecoderSizes } from './binding.js';

export interface Workload {
  readonly dtype: 'float32' | 'bfloat16';
  readonly device: 'cpu' | 'cuda';
  /** Responses decoded together, and how many of them share a prompt. */
  readonly rows: number;
  readonly samples: number;
  readonly promptTokens: number;
  readonly maxTokens: number;
  /** Tokens of a micro-batch. */
  readonly tokenBudget: number;
  /** Over how many GPUs the optimizer's state is spread. */
  readonly gpus: number;
}

export interface ModelSizes {
  /** Numbers in all weights, in those of the language model, and in those that learn. */
  readonly parameters: number;
  readonly language: number;
  readonly trained: number;
  /** Numbers in an adapter, in float32 whatever the rest is; only they learn where there are any. */
  readonly adapter?: number;
  readonly decoder: DecoderSizes;
}

/** One line of a plan. */
export interface Item {
  readonly what: string;
  readonly bytes: number;
}

export interface PhasePlan {
  readonly phase: 'rollout' | 'labelling' | 'training' | 'scoring';
  readonly items: readonly Item[];
  readonly total: number;
}

/** Positions whose logits exist at one time in a training step (native/engine/loss.cpp). */
const HEAD_CHUNK = 2048;
/** Copies of a row of logits while a token is drawn. */
const LOGIT_COPIES = 2;

/** Memory of one process (one GPU), phase by phase. */
export function planMemory(sizes: ModelSizes, work: Workload): PhasePlan[] {
  const { parameters, language, decoder, adapter = 0 } = sizes;
  const trained = adapter || sizes.trained;
  const { rows, samples, promptTokens, maxTokens, tokenBudget } = work;
  const { hidden, heads, kvHeads, headDim, layers, intermediate, vocabulary } = decoder;
  const numberBytes = work.dtype === 'float32' ? 4 : 2;
  const plan = (phase: PhasePlan['phase'], parts: Readonly<Record<string, number>>): PhasePlan => {
    const items = Object.entries(parts).map(([what, bytes]) => ({ what, bytes }));
    return { phase, items, total: items.reduce((sum, { bytes }) => sum + bytes, 0) };
  };
  const weights = {
    [`weights (${work.dtype})`]: parameters * numberBytes,
    ...(adapter > 0 && { 'adapter (float32)': adapter * 4 }),
  };
  const decoding = {
    ...weights,
    // The CPU decodes from a packed copy of the language model's weights.
    ...(work.device === 'cpu' && { 'packed weights': language * numberBytes }),
    logits: LOGIT_COPIES * rows * vocabulary * 4,
  };
  // A shared part once per prompt, and a span of its own for every row.
  const keys = (shared: number) => ({
    [`keys and values of ${rows} rows`]:
      2 * layers * kvHeads * headDim * numberBytes * (Math.ceil(rows / samples) * Math.ceil(shared) + rows * maxTokens),
  });
  // What one layer keeps for the backward pass per token: two residuals and their norms, projections before and after rotation, the gated MLP.
  const layerBytes =
    numberBytes * (6 * hidden + 2 * (heads + 2 * kvHeads) * headDim + heads * headDim + 4 * intermediate);
  const share = (bytes: number): number => Math.ceil((trained * bytes) / work.gpus);
  return [
    plan('rollout', { ...decoding, ...keys(promptTokens) }),
    plan('labelling', { ...decoding, ...keys(promptTokens + (rows * maxTokens) / samples) }),
    plan('training', {
      ...weights,
      'gradients (float32)': share(4),
      'AdamW moments (float32)': share(8),
      ...(numberBytes === 2 && adapter === 0 && { 'low halves of the masters': share(2) }),
      [`activations of ${tokenBudget} tokens`]: layers * layerBytes * tokenBudget,
      logits: 3 * Math.min(HEAD_CHUNK, tokenBudget) * vocabulary * 4,
    }),
    plan('scoring', { ...weights, activations: layerBytes * tokenBudget }),
  ];
}
