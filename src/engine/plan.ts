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
  /** Bytes of both moments of a number that learns, one of MOMENT_BYTES; those of float32 when left out. */
  readonly momentBytes?: number;
  /** Whether moments and low halves lie in the memory of the machine; where left out, not in a plan, and as a GPU has no room for them in what fits. */
  readonly offload?: boolean;
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

/** Memory that one process takes in a phase, in bytes. */
export interface PhasePlan {
  readonly phase: 'rollout' | 'labelling' | 'training' | 'scoring';
  readonly items: readonly Item[];
  readonly total: number;
}

/** Bytes of both moments of a number; in 8 bits with the scales, one for 256 numbers. */
export const MOMENT_BYTES = { float32: 8, '8bit': 3 + 4 / 256 } as const;
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

/** What an optimizer keeps of the numbers that learn from step to step. */
function optimizerState(sizes: ModelSizes, work: Workload): Record<string, number> {
  const { momentBytes = MOMENT_BYTES.float32 } = work;
  return {
    [`AdamW moments (${Math.floor(momentBytes)} bytes)`]: share(sizes, work, momentBytes),
    ...(bytesOf(work) === 2 && !sizes.adapters && { 'low halves of the masters': share(sizes, work, 2) }),
  };
}

/** So many bytes for each number that learns of those that one GPU has the state of. */
function share({ trained }: ModelSizes, { gpus }: Workload, bytes: number): number {
  return Math.ceil((trained * bytes) / gpus);
}

function training(sizes: ModelSizes, work: Workload): Record<string, number> {
  const { largest, adapters = false, decoder, tower } = sizes;
  const { tokenBudget } = work;
  const { layers, hidden, vocabulary, headChunk } = decoder;
  const number = bytesOf(work);
  const kept = Math.min(layers, work.keptLayers ?? layers);
  const layer = layerNumbers(decoder, work) * number * tokenBudget;
  const block = towerNumbers(tower) * number * patchesOf(work);
  const pictures = picturesOf(work);
  const again = kept < layers;
  // The loss is on what is not a prompt.
  const responses = Math.max(work.maxTokens, tokenBudget - pictures * work.promptTokens);
  return {
    'gradients (sums in float32)': share(sizes, work, 4),
    'gradients of a segment': largest * (adapters ? 4 : number),
    ...(!work.offload && optimizerState(sizes, work)),
    [`graphs of ${kept} of ${layers} layers, ${tokenBudget} tokens`]: kept * layer,
    ...(again && { 'inputs of the layers that are run again': (layers - kept) * hidden * number * tokenBudget }),
    // The graph of the one that is run again, and about as much for what flows back through one.
    'one layer while it runs': (again ? layer : 0) + layer,
    [`vision tower, ${pictures} ${pictures === 1 ? 'picture' : 'pictures'}`]: tower.frozen
      ? block
      : again
        ? tower.layers * tower.hidden * number * patchesOf(work) + block
        : tower.layers * block,
    logits: (3 * 4 + 2 * number) * Math.min(headChunk, responses) * vocabulary,
  };
}

/** Whether a phase fits in the memory of one GPU. */
export interface Fit {
  readonly phase: PhasePlan['phase'];
  /** Bytes that it takes; of the training with as many kept layers as there is room for, where there is not with none and the optimizer's state offloaded. */
  readonly bytes: number;
  readonly fits: boolean;
  /** Of the training: decoder layers whose graph is kept. */
  readonly keptLayers?: number;
  /** Of a training whose optimizer state lies in the memory of the machine: its bytes there. */
  readonly offloaded?: number;
  /** Where it does not fit with the state on the GPU: whether it would with moments in 8 bits. */
  readonly moments?: '8bit';
  /** Of a training that does not fit: the largest token budget with which it would, if there is one for the longest example. */
  readonly tokenBudget?: number;
  /** And the fewest GPUs of this memory on which it would, up to MOST_GPUS. */
  readonly gpus?: number;
}

const MOST_GPUS = 64;

/** Whether each phase fits in `memory` bytes, and what would make the training fit. */
export function fitMemory(sizes: ModelSizes, work: Workload, memory: number): Fit[] {
  const offloads = work.device === 'cpu' ? [false] : work.offload === undefined ? [false, true] : [work.offload];
  const trainingBytes = (more: Partial<Workload>): number =>
    planMemory(sizes, { ...work, keptLayers: 0, offload: offloads.at(-1) ?? false, ...more }).find(
      ({ phase }) => phase === 'training',
    )?.total ?? 0;
  const onDevice = { offload: false, momentBytes: MOMENT_BYTES['8bit'] };
  const eightBits = trainingBytes(onDevice) <= memory && work.momentBytes !== onDevice.momentBytes;
  const moments = eightBits ? ({ moments: '8bit' } as const) : {};
  const state = Object.values(optimizerState(sizes, work)).reduce((sum, bytes) => sum + bytes, 0);
  return planMemory(sizes, work).map(({ phase, total }): Fit => {
    if (phase !== 'training') return { phase, bytes: total, fits: total <= memory };
    // Layers are run again before the state leaves the GPU, as the engine does it.
    for (const offload of offloads)
      for (let keptLayers = sizes.decoder.layers; keptLayers >= 0; keptLayers--) {
        const bytes = trainingBytes({ keptLayers, offload });
        if (bytes <= memory)
          return { phase, bytes, fits: true, keptLayers, ...(offload && { offloaded: state, ...moments }) };
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
      ...(offloads.at(-1) && { offloaded: state }),
      ...moments,
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
