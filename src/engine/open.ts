// Opens a model folder: backbone, tokenizer, checked weights, and the native model over them.
import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Backbone, ModelNumbers } from '../backbones/backbone.js';
import { endIds } from '../backbones/fields/generation.js';
import { findBackbone } from '../backbones/registry.js';
import { type ModelFolder, openFolder, parseSideFile } from '../checkpoint/folder.js';
import {
  type Alias,
  checkParameters,
  engineWeights,
  type ParameterShape,
  rewardHeadShapes,
} from '../checkpoint/parameters.js';
import { type EngineError, UserError } from '../core/errors.js';
import { loadSentencePiece } from '../text/sentencepiece.js';
import { readSpecialTokens } from '../text/special-tokens.js';
import type { Tokenizer } from '../text/tokenizer.js';
import { loadTokenizerJson } from '../text/tokenizer-json.js';
import { type AdapterSettings, type OpenedAdapter, openAdapter } from './adapter.js';
import { addon, type ModelSpec, type NativeModel } from './binding.js';
import { guarded, guardedNow } from './native.js';

/** Areas that pictures are resized into, in pixels; those of the model's files when left out. */
export interface PictureLimits {
  readonly minPixels?: number | undefined;
  readonly maxPixels?: number | undefined;
}

export interface ComputeOptions extends PictureLimits {
  readonly device: 'cpu' | 'cuda';
  /** Number type of the weights in memory. */
  readonly dtype: 'float32' | 'bfloat16';
  /** Compute threads of the engine; 0: as many as the machine has cores. */
  readonly threads: number;
  /** On a GPU: the same bits whatever else is in a call. */
  readonly deterministic?: boolean;
  /** GiB that keys and values may take; 0: half of what is free when a rollout starts, 70 % on a GPU. */
  readonly kvGib?: number;
  /** Tokens per micro-batch of training and scoring: bounds their memory. Default: 8192. */
  readonly tokenBudget?: number;
  /** Gives a model that has none a new adapter, and says what those of folders must be. */
  readonly adapter?: AdapterSettings | undefined;
  /**
   * Whether a training step runs layers again in its backward instead of keeping what they computed. `auto`: as far as a GPU has no room, never on a
   * CPU. Changes no bit. Default: `auto`.
   */
  readonly recompute?: 'auto' | 'never' | 'always';
  /**
   * Whether the optimizer's state lies in the memory of the machine and passes through the device in each step. `auto`: where a GPU has no room for it
   * beside the gradients, never on a CPU. Changes no bit. Default: `auto`.
   */
  readonly offload?: 'auto' | 'never' | 'always';
}

/** A folder and what its files say, before any weight is read. */
export interface DescribedModel {
  /** An adapter's tensors by the engine's names. */
  readonly folder: ModelFolder;
  readonly backbone: Backbone;
  readonly tokenizer: Tokenizer;
  /** Digest of the tokenizer's files and of the mark that ends a response. */
  readonly tokenizerName: string;
  /** Flat config of the native side. */
  readonly numbers: ModelNumbers;
  /** Ids that end an answer: those of the backbone, and those that the files name besides. */
  readonly stops: readonly number[];
}

export interface OpenedModel extends DescribedModel {
  readonly native: NativeModel;
  /** Every parameter, the reward head included where there is one. */
  readonly parameters: readonly ParameterShape[];
  readonly adapter: OpenedAdapter | undefined;
  /** Parameters that can learn and that its checkpoints hold: all, or beside an adapter its own and the reward head. */
  readonly own: readonly ParameterShape[];
}

/** Reads config, tokenizer and special tokens of a folder. Throws UserError, also on limits that the backbone does not have. */
export async function describeModel(folder: ModelFolder, limits: PictureLimits = {}): Promise<DescribedModel> {
  const { config } = folder;
  const configFile = join(folder.dir, 'config.json');
  const backbone = await findBackbone(config, configFile);
  const side = Object.fromEntries(backbone.configFiles.map((name) => [name, parseSideFile(folder, name, true)]));
  const shapes = new Map(folder.weights.flatMap(({ tensors }) => tensors.map(({ name, shape }) => [name, shape])));
  const files = { dir: folder.dir, config, side, shapes: (name: string) => shapes.get(name) };
  // A model of another kind often lacks the tokenizer file too: what it is says more.
  backbone.numbers(files, () => 0);
  const tokenizerFile = join(folder.dir, backbone.tokenizerFile);
  const bytes = folder.sideFiles.get(backbone.tokenizerFile);
  if (!bytes) throw new UserError(`${tokenizerFile}: file: no such file, wanted the tokenizer of ${backbone.name}`);
  const special = readSpecialTokens(
    folder.dir,
    parseSideFile(folder, 'tokenizer_config.json', true),
    parseSideFile(folder, 'added_tokens.json', true),
  );
  const load = backbone.tokenizerFile === 'tokenizer.model' ? loadSentencePiece : loadTokenizerJson;
  const tokenizer = load(bytes, special, tokenizerFile);
  const idOf = (name: string): number => {
    const id =
      special.get(name)?.id ?? (backbone.tokenizerFile === 'tokenizer.json' ? tokenizer.idOf(name) : undefined);
    if (id === undefined)
      throw new UserError(
        `${join(folder.dir, 'tokenizer_config.json')}: added_tokens_decoder: no ${name}, wanted its id`,
      );
    return id;
  };
  for (const name of backbone.specials) idOf(name);
  const marks = [...special].map(([name, { id }]) => [name, id] as const).sort(([a], [b]) => (a < b ? -1 : 1));
  const tokenizerName = createHash('sha256')
    .update(JSON.stringify([marks, backbone.endOfTurn]))
    .update(bytes)
    .digest('hex');
  const numbers = limited(backbone.numbers(files, idOf), limits, backbone.name);
  const rows = numbers.vocab;
  if (tokenizer.size > rows) {
    throw new UserError(
      `${configFile}: vocab_size: ${rows}, wanted at least the ${tokenizer.size} ids of the tokenizer`,
    );
  }
  const generationFile = 'generation_config.json';
  const { languageField = '' } = backbone;
  const ends = endIds(
    { file: configFile, contents: config, key: languageField in config ? languageField : undefined },
    { file: join(folder.dir, generationFile), contents: parseSideFile(folder, generationFile, true) },
    rows,
    backbone.ownSampling,
  );
  const stops = [...new Set([...backbone.stops.map((name) => tokenizer.idOf(name) as number), ...ends])];
  const { adapter } = folder;
  const described = { backbone, tokenizer, tokenizerName, numbers, stops };
  if (!adapter) return { folder, ...described };
  const [own = adapter.weights] = await engineWeights([adapter.weights], aliasOf({ backbone, numbers }));
  const named = { ...folder, adapter: { ...adapter, weights: own } };
  return { folder: named, ...described };
}

function limited(numbers: ModelNumbers, { minPixels, maxPixels }: PictureLimits, backbone: string): ModelNumbers {
  if (minPixels === undefined && maxPixels === undefined) return numbers;
  const refuse = (found: string, wanted: string): never => {
    const name = maxPixels === undefined ? 'minPixels' : 'maxPixels';
    throw new UserError(`${name}: ${found}, wanted ${wanted}`, 'ERR_SETTING');
  };
  const { min_pixels: least = 0, max_pixels: most } = numbers;
  if (most === undefined) return refuse(`given for ${backbone}, whose pictures have no such limit`, 'none');
  const [min, max] = [minPixels ?? least, maxPixels ?? most];
  if (max < min) refuse(`pictures of ${min} pixels at least and ${max} at most`, 'minPixels no larger than maxPixels');
  return { ...numbers, min_pixels: min, max_pixels: max };
}

/** How the folder's files may name parameters. */
export function aliasOf({ backbone, numbers }: Pick<DescribedModel, 'backbone' | 'numbers'>): Alias {
  return (name) => backbone.alias?.(name, numbers);
}

/** Opens the folder for computing. Throws UserError for what is wrong with its files, EngineError for the rest. */
export async function openModel(dir: string, compute: ComputeOptions, head: ModelSpec['head']): Promise<OpenedModel> {
  const found = await openFolder(dir, compute.adapter?.base === dir ? undefined : compute.adapter?.base);
  if (compute.adapter?.base === dir && found.adapter)
    throw new UserError(`model.adapter: given beside the adapter in ${dir}, wanted one of them`, 'ERR_SETTING');
  const described = await describeModel(found, compute);
  const { folder, backbone, numbers } = described;
  const shapes = guardedNow(() => addon().parameterShapes(backbone.name, numbers));
  const adapter = await openAdapter(folder, backbone, shapes, compute.adapter);
  const heads = head === 'load' ? rewardHeadShapes(numbers.l_hidden) : [];
  const weights = await engineWeights(folder.weights, aliasOf(described));
  checkParameters(folder.dir, weights, folder.adapter ? shapes : [...shapes, ...heads]);
  if (folder.adapter && adapter) checkParameters(dir, [folder.adapter.weights], [...adapter.shapes, ...heads]);
  const threads = compute.threads || availableParallelism();
  const { device, dtype, kvGib = 0, deterministic = false, tokenBudget = 8192 } = compute;
  const { recompute = 'auto', offload = 'auto' } = compute;
  const spec: ModelSpec = {
    device,
    dtype,
    threads,
    deterministic,
    kvBytes: Math.round(kvGib * 2 ** 30),
    tokenBudget,
    ...(recompute !== 'auto' && { recompute: recompute === 'never' ? 0 : numbers.l_layers }),
    ...(offload !== 'auto' && { offload: offload === 'always' }),
    backbone: backbone.name,
    config: numbers,
    weights: folder.adapter ? [...weights, folder.adapter.weights] : weights,
    head,
    ...(adapter && {
      adapter: {
        targets: adapter.targets.map(({ name }) => name),
        rank: adapter.form.rank,
        scale: adapter.form.scale,
        seed: folder.adapter ? undefined : compute.adapter?.seed,
      },
    }),
  };
  const native = await guarded(() => addon().loadModel(spec)).catch((error: EngineError): never => {
    const missing = withoutDevice(error.message);
    if (missing) throw new UserError(missing, 'ERR_SETTING');
    // What is wrong with the numbers of a file is found while they are read; it begins with the file's name.
    throw spec.weights.some(({ path }) => error.message.startsWith(`${path}:`)) ? new UserError(error.message) : error;
  });
  const parameters = guardedNow(() => native.parameters());
  return { ...described, native, parameters, adapter, own: adapter ? parameters.slice(shapes.length) : parameters };
}

/** What to do where the device that was asked for is not there; undefined for another fault. */
export function withoutDevice(message: string): string | undefined {
  if (!message.startsWith("device '")) return undefined;
  if (message.includes('has no CUDA'))
    return `${message}; wanted TORCH_ROOT naming a CUDA LibTorch and the addon built again (README, On a GPU), or the device cpu`;
  return `${message}, wanted one that nvidia-smi lists (CUDA_VISIBLE_DEVICES can hide it), or the device cpu`;
}
