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
  /** Patches of a picture; a micro-batch has a picture for each prompt that fits. */
  readonly patches: number;
  /** Over how many GPUs the optimizer's state is spread. */
  readonly gpus: number;
  /** Bytes of both moments of a number that learns: 8 in float32, when left out. */
  readonly momentBytes?: number;
  /** Decoder layers that keep what they computed for the backward; the others are run again, and the vision tower with them. All when left out. */
  readonly keptLayers?: number;
}

export interface TowerSizes {
  readonly layers: number;
  readonly hidden: number;
  readonly intermediate: number;
  /** Nothing of it learns, so that it keeps nothing for the backward. */
  readonly frozen: boolean;
}

export interface ModelSizes {
  /** Numbers in all weights, in those of the language model, and in those that learn. */
  readonly parameters: number;
  readonly language: number;
  readonly trained: number;
  /** Numbers in the largest tensor that learns. */
  readonly largest: number;
  /** Whether what learns are adapters in float32 beside weights that stand still. */
  readonly adapters?: boolean;
  readonly decoder: DecoderSizes;
  readonly tower: TowerSizes;
  /** Of a process reward model that scores what the policy samples: it is in memory beside it then. */
  readonly prm?: { readonly parameters: number; readonly decoder: DecoderSizes } | undefined;
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

/** Copies of a row of logits while a token is drawn. */
const LOGIT_COPIES = 2;
/** What CUDA and its libraries take in a process, and what NCCL takes besides. */
const CONTEXT = 2 ** 30;
const EXCHANGE = 2 ** 30;

/** Memory of one process (one GPU), phase by phase. */
export function planMemory(sizes: ModelSizes, work: Workload): PhasePlan[] {
  const { parameters, language, decoder } = sizes;
  const { rows, samples, promptTokens, maxTokens, gpus, device } = work;
  const { hidden, heads, kvHeads, headDim, layers, vocabulary } = decoder;
  const number = bytesOf(work);
  const plan = (phase: PhasePlan['phase'], lines: Readonly<Record<string, number>>): PhasePlan => {
    const items = Object.entries(lines).map(([what, bytes]) => ({ what, bytes: Math.ceil(bytes) }));
    return { phase, items, total: items.reduce((sum, { bytes }) => sum + bytes, 0) };
  };
  const held = {
    [`weights (${work.dtype})`]: parameters * number,
    ...(device === 'cuda' && { 'CUDA and its libraries': CONTEXT + (gpus > 1 ? EXCHANGE : 0) }),
  };
  const prm = sizes.prm && { 'weights of the PRM': sizes.prm.parameters * number };
  const decoding = {
    ...held,
    // The CPU decodes from a packed copy of the language model's weights, a GPU from one of what is laid out otherwise.
    ...(device === 'cpu'
      ? { 'packed weights': language * number }
      : {
          'weights laid out for decoding': number * hidden * (layers * (heads + 2 * kvHeads) * headDim + vocabulary),
        }),
    logits: LOGIT_COPIES * rows * vocabulary * 4,
  };
  // A shared part once per prompt, and a span of its own for every row. Of all that may be taken a quarter is for prompts of earlier calls.
  const keys = (shared: number) => {
    const token = 2 * layers * kvHeads * headDim * number;
    const bytes = token * (Math.ceil(rows / samples) * Math.ceil(shared) + rows * maxTokens);
    return { [`keys and values of ${rows} rows`]: bytes, 'prompts kept for later calls': bytes / 3 };
  };
  return [
    plan('rollout', { ...decoding, ...prm, ...keys(promptTokens) }),
    plan('labelling', { ...decoding, ...keys(promptTokens + (rows * maxTokens) / samples) }),
    plan('training', { ...held, ...training(sizes, work) }),
    plan('scoring', {
      ...held,
      ...prm,
      activations: layerNumbers((sizes.prm ?? sizes).decoder, work) * number * work.tokenBudget,
    }),
  ];
}

function training(sizes: ModelSizes, work: Workload): Record<string, number> {
  const { trained, largest, adapters = false, decoder, tower } = sizes;
  const { tokenBudget, gpus, momentBytes = 8 } = work;
  const { layers, hidden, vocabulary, headChunk } = decoder;
  const number = bytesOf(work);
  const share = (bytes: number): number => Math.ceil((trained * bytes) / gpus);
  const kept = Math.min(layers, work.keptLayers ?? layers);
  const layer = layerNumbers(decoder, work) * number * tokenBudget;
  const block = towerNumbers(tower) * number * patchesOf(work);
  const pictures = picturesOf(work);
  const again = kept < layers;
  return {
    'gradients (sums in float32)': share(4),
    'gradients of a segment': largest * (adapters ? 4 : number),
    [`AdamW moments (${momentBytes} bytes)`]: share(momentBytes),
    ...(number === 2 && !adapters && { 'low halves of the masters': share(2) }),
    [`graphs of ${kept} of ${layers} layers, ${tokenBudget} tokens`]: kept * layer,
    ...(again && { 'inputs of the layers that are run again': (layers - kept) * hidden * number * tokenBudget }),
    // The graph of the one that is run again, and about as much for what flows back through one.
    'one layer while it runs': (again ? layer : 0) + layer,
    [`vision tower, ${pictures} ${pictures === 1 ? 'picture' : 'pictures'}`]: tower.frozen
      ? block
      : again
        ? tower.layers * tower.hidden * number * patchesOf(work) + block
        : tower.layers * block,
    logits: (3 * 4 + 2 * number) * Math.min(headChunk, tokenBudget) * vocabulary,
  };
}

/** Whether a phase fits in the memory of one GPU. */
export interface Fit {
  readonly phase: PhasePlan['phase'];
  /** Bytes that it takes; of the training with as many kept layers as there is room for, where there is not with none. */
  readonly bytes: number;
  readonly fits: boolean;
  /** Of the training: decoder layers whose graph is kept. */
  readonly keptLayers?: number;
  /** Of a training that does not fit: the largest token budget with which it would, if there is one for the longest example. */
  readonly tokenBudget?: number;
  /** And the fewest GPUs of this memory on which it would, up to MOST_GPUS. */
  readonly gpus?: number;
}

const MOST_GPUS = 64;

/** Whether each phase fits in `memory` bytes, and what would make the training fit. */
export function fitMemory(sizes: ModelSizes, work: Workload, memory: number): Fit[] {
  const trainingBytes = (more: Partial<Workload>): number =>
    planMemory(sizes, { ...work, keptLayers: 0, ...more }).find(({ phase }) => phase === 'training')?.total ?? 0;
  return planMemory(sizes, work).map(({ phase, total }): Fit => {
    if (phase !== 'training') return { phase, bytes: total, fits: total <= memory };
    for (let keptLayers = sizes.decoder.layers; keptLayers >= 0; keptLayers--) {
      const bytes = trainingBytes({ keptLayers });
      if (bytes <= memory) return { phase, bytes, fits: true, keptLayers };
    }
    const fits = (more: Partial<Workload>): boolean => trainingBytes(more) <= memory;
    const longest = work.promptTokens + work.maxTokens;
    let tokenBudget = work.tokenBudget;
    while (tokenBudget >= longest && !fits({ tokenBudget })) tokenBudget = Math.floor(tokenBudget / 2);
    let gpus = work.gpus * 2;
    while (gpus <= MOST_GPUS && !fits({ gpus })) gpus *= 2;
    return {
      phase,
      bytes: trainingBytes({}),
      fits: false,
      keptLayers: 0,
      ...(tokenBudget >= longest && { tokenBudget }),
      ...(gpus <= MOST_GPUS && { gpus }),
    };
  });
}

const bytesOf = ({ dtype }: Workload): number => (dtype === 'float32' ? 4 : 2);
const picturesOf = ({ tokenBudget, promptTokens, maxTokens }: Workload): number =>
  Math.max(1, Math.floor(tokenBudget / (promptTokens + maxTokens)));
const patchesOf = (work: Workload): number => picturesOf(work) * work.patches;

/**
 * Numbers that a decoder layer keeps for the backward per token: its input, two norms and the residual between them, projections before and after
 * rotation, what attention gives, and the gated feed-forward. Where attention is LibTorch's, the padded copies that it is given too.
 */
function layerNumbers({ hidden, heads, kvHeads, headDim, intermediate }: DecoderSizes, work: Workload): number {
  const [queries, keys] = [heads * headDim, kvHeads * headDim];
  const common = 4 * hidden + (queries + 2 * keys) + (queries + keys) + queries;
  const packed = work.device === 'cpu' && work.dtype === 'float32';
  return common + (packed ? 3 * intermediate : 4 * intermediate + 4 * queries);
}

/** The same of a layer of the vision tower per patch: norms, projections, heads side by side and back, the feed-forward before and after its bend. */
function towerNumbers({ hidden, intermediate }: TowerSizes): number {
  return 12 * hidden + 2 * intermediate;
}
