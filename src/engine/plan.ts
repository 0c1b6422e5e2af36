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
export function planMemory(model: ModelSizes, work: Workload): PhasePlan[] {
  const bytes = work.dtype === 'float32' ? 4 : 2;
  const weights: Item = { what: `weights (${work.dtype})`, bytes: model.parameters * bytes };
  const decode = [weights, ...decodeItems(model, work, bytes)];
  const prefixes = work.rows * work.maxTokens;
  return [
    plan('rollout', [...decode, keys(model, bytes, work.promptTokens, work)]),
    plan('labelling', [...decode, keys(model, bytes, work.promptTokens + prefixes / work.samples, work)]),
    plan('training', [weights, ...trainItems(model, work, bytes)]),
    plan('scoring', [weights, { what: 'activations', bytes: layerBytes(model.decoder, bytes) * work.tokenBudget }]),
  ];
}

function plan(phase: PhasePlan['phase'], items: readonly Item[]): PhasePlan {
  return { phase, items, total: items.reduce((sum, item) => sum + item.bytes, 0) };
}

function decodeItems({ language, decoder }: ModelSizes, work: Workload, bytes: number): Item[] {
  const logits = { what: 'logits', bytes: LOGIT_COPIES * work.rows * decoder.vocabulary * 4 };
  // The CPU decodes from a packed copy of the language model's weights.
  if (work.device === 'cpu') return [{ what: 'packed weights', bytes: language * bytes }, logits];
  return [logits];
}

/** Keys and values: a shared part once per prompt, and a span of its own for every row. */
function keys({ decoder }: ModelSizes, bytes: number, shared: number, { rows, samples, maxTokens }: Workload): Item {
  const perToken = 2 * decoder.layers * decoder.kvHeads * decoder.headDim * bytes;
  const prompts = Math.ceil(rows / samples);
  return {
    what: `keys and values of ${rows} rows`,
    bytes: perToken * (prompts * Math.ceil(shared) + rows * maxTokens),
  };
}

function trainItems({ trained, decoder }: ModelSizes, work: Workload, bytes: number): Item[] {
  const share = (numberBytes: number): number => Math.ceil((trained * numberBytes) / work.gpus);
  const state: Item[] = [
    { what: 'gradients (float32)', bytes: share(4) },
    { what: 'AdamW moments (float32)', bytes: share(8) },
  ];
  if (bytes === 2) state.push({ what: 'low halves of the masters', bytes: share(2) });
  return [
    ...state,
    {
      what: `activations of ${work.tokenBudget} tokens`,
      bytes: decoder.layers * layerBytes(decoder, bytes) * work.tokenBudget,
    },
    { what: 'logits', bytes: 3 * Math.min(HEAD_CHUNK, work.tokenBudget) * decoder.vocabulary * 4 },
  ];
}

/** What one layer keeps for the backward pass per token: two residuals and their norms, projections before and after rotation, the gated MLP. */
function layerBytes({ hidden, heads, kvHeads, headDim, intermediate }: DecoderSizes, bytes: number): number {
  return bytes * (6 * hidden + 2 * (heads + 2 * kvHeads) * headDim + heads * headDim + 4 * intermediate);
}
