// Adapters (LoRA) in the form of PEFT: adapter_config.json and adapter_model.safetensors beside a base model that lies
// elsewhere and is not changed. Read, checked against their base, and planned for writing.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../core/errors.js';
import { readJson } from '../core/json.js';
import { shown } from '../core/printable.js';
import { checked } from '../core/schema.js';
import { nameIn, type ParameterShape } from './parameters.js';
import { readSafetensors, type WeightFile } from './safetensors.js';
import type { ExtraFile, WeightPlan } from './save.js';

export const ADAPTER_CONFIG = 'adapter_config.json';
export const ADAPTER_FILE = 'adapter_model.safetensors';
/** What PEFT puts before the names of the model that it wraps. */
const PREFIX = 'base_model.model.';
/** Key under which the file of weights says what its base was. */
const DIGEST = 'base_sha256';

/** What the numbers of an adapter mean. */
export interface AdapterForm {
  readonly rank: number;
  readonly alpha: number;
  /** Its product is multiplied by this. */
  readonly scale: number;
}

export interface Adapter extends AdapterForm {
  readonly dir: string;
  /** The base model as the folder names it. */
  readonly base: string | null;
  /** Of the base that it was trained on; undefined where another program wrote the folder. */
  readonly digest: string | undefined;
  /** By the names that PEFT gives them, without its prefix. */
  readonly weights: WeightFile;
}

const unused = z.literal(false).nullish();
const config = z.object({
  peft_type: z.literal('LORA'),
  base_model_name_or_path: z.string().nullish(),
  r: z.int().min(1),
  lora_alpha: z.number().gt(0),
  use_rslora: z.boolean().nullish(),
  // Forms of it that the engine does not have.
  bias: z.literal('none').default('none'),
  lora_bias: z.literal(false).default(false),
  use_dora: z.literal(false).default(false),
  fan_in_fan_out: z.literal(false).default(false),
  rank_pattern: z.strictObject({}).nullish(),
  alpha_pattern: z.strictObject({}).nullish(),
  use_qalora: unused,
  use_bdlora: unused,
  layer_replication: unused,
  alora_invocation_tokens: unused,
  trainable_token_indices: unused,
});

/** The adapter of a folder; undefined where it holds none. Throws UserError. */
export async function readAdapter(dir: string): Promise<Adapter | undefined> {
  const file = join(dir, ADAPTER_CONFIG);
  if (!existsSync(file)) return undefined;
  const found = checked(config, await readJson(file), file);
  const { r: rank, lora_alpha: alpha } = found;
  const path = join(dir, ADAPTER_FILE);
  const { tensors, metadata } = await readSafetensors(path);
  const headOf = nameIn();
  const own = tensors.map((tensor) => {
    if (!tensor.name.startsWith(PREFIX))
      throw new UserError(`${path}: ${shown(tensor.name)}: of no adapter, wanted names that begin with ${PREFIX}`);
    return { ...tensor, name: headOf(tensor.name.slice(PREFIX.length)) };
  });
  return {
    dir,
    rank,
    alpha,
    scale: alpha / (found.use_rslora ? Math.sqrt(rank) : rank),
    base: found.base_model_name_or_path ?? null,
    digest: metadata?.[DIGEST],
    weights: { path, tensors: own },
  };
}

/** Folder of an adapter's base: as it names it, from the working directory or from its own folder. Throws UserError. */
export function baseFolder({ dir, base }: Adapter): string {
  const found = base === null || isAbsolute(base) ? [base] : [base, join(dir, base)];
  const folder = found.find((place) => place !== null && existsSync(join(place, 'config.json')));
  if (folder != null) return folder;
  const said = base === null ? 'none' : `${shown(base)} is no model folder here`;
  throw new UserError(
    `${join(dir, ADAPTER_CONFIG)}: base_model_name_or_path: ${said}, wanted the folder of the base model`,
  );
}

/**
 * Names a model by its weights: SHA-256 over names, types and shapes of all tensors and the first numbers of each. Other
 * weights have other first numbers; a model of any size takes well under a second.
 */
export async function weightDigest(weights: readonly WeightFile[]): Promise<string> {
  const parts: [name: string, line: string][] = [];
  for (const { path, tensors } of weights) {
    await using file = await open(path);
    for (const { name, dtype, shape, begin, end } of tensors) {
      const length = Math.min(4096, end - begin);
      const { buffer } = await file.read(Buffer.alloc(length), 0, length, begin);
      parts.push([name, `${name} ${dtype} ${shape} ${createHash('sha256').update(buffer).digest('hex')}\n`]);
    }
  }
  // The same for every division into files.
  parts.sort(([a], [b]) => (a < b ? -1 : 1));
  const digest = createHash('sha256');
  for (const [, line] of parts) digest.update(line);
  return digest.digest('hex');
}

/** Throws UserError where an adapter was trained on another model than these weights, which lie in `base`. */
export function checkBase(adapter: Adapter, base: string, digest: string): void {
  if (adapter.digest === undefined || adapter.digest === digest) return;
  throw new UserError(
    `${join(adapter.dir, ADAPTER_FILE)}: ${DIGEST}: of other weights than those in ${base}, wanted the base model that the adapter was trained on`,
  );
}

const INNER = /lora_A\.weight$/;

/** The matrices that an adapter of these tensors is for. */
export function targetsOf(tensors: readonly { readonly name: string }[]): string[] {
  return tensors.filter(({ name }) => INNER.test(name)).map(({ name }) => name.replace(INNER, 'weight'));
}

/** Shapes of the adapters of these matrices, by the engine's names. */
export function adapterShapes(targets: readonly ParameterShape[], rank: number): ParameterShape[] {
  return targets.flatMap(({ name, shape: [n = 0, k = 0] }) => {
    const module = name.replace(/weight$/, '');
    return [
      { name: `${module}lora_A.weight`, shape: [rank, k] },
      { name: `${module}lora_B.weight`, shape: [n, rank] },
    ];
  });
}

/** What a folder of an adapter holds besides: its form, and the base it is for. */
export interface AdapterPlan {
  readonly form: AdapterForm;
  /** Folder of the base model, and the digest of its weights. */
  readonly base: string;
  readonly digest: string;
}

/**
 * The weight file and the config of an adapter of these parameters, a reward head among them where there is one.
 * @param moduleName what the reference's class calls a parameter
 */
export function planAdapter(
  { form, base, digest }: AdapterPlan,
  parameters: readonly ParameterShape[],
  moduleName: (name: string) => string = (name) => name,
): { readonly weights: WeightPlan; readonly config: ExtraFile } {
  const { rank, alpha, scale } = form;
  const heads = parameters.filter(({ name }) => !/lora_[AB]\.weight$/.test(name));
  const contents = {
    peft_type: 'LORA',
    task_type: null,
    base_model_name_or_path: base,
    r: rank,
    lora_alpha: alpha,
    use_rslora: scale !== alpha / rank,
    // Whole names: an ending like q_proj would have PEFT adapt the vision tower too.
    target_modules: targetsOf(parameters).map((name) => moduleName(name).replace(/\.weight$/, '')),
    modules_to_save: heads.length > 0 ? ['reward_head'] : null,
    lora_dropout: 0,
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
  };
  return {
    weights: {
      file: ADAPTER_FILE,
      metadata: { [DIGEST]: digest },
      tensors: parameters.map(({ name, shape }) => ({
        name: PREFIX + moduleName(name),
        dtype: 'F32',
        shape,
        parameter: name,
      })),
    },
    config: [ADAPTER_CONFIG, `${JSON.stringify(contents, null, 2)}\n`],
  };
}
