// Opens a model folder in Hugging Face form: config.json, weight headers (one file or a sharded index) and side files.
// Nothing is mapped or written.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { systemFault, UserError } from '../core/errors.js';
import { readRegularFile } from '../core/files.js';
import { parseJson, readJson } from '../core/json.js';
import { shown } from '../core/printable.js';
import { checked } from '../core/schema.js';
import { ADAPTER_CONFIG, type Adapter, baseFolder, readAdapter } from './adapter.js';
import { nameIn } from './parameters.js';
import { isBuffer, readSafetensors, type WeightFile } from './safetensors.js';

export interface ModelFolder {
  readonly dir: string;
  /** Parsed config.json. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly weights: readonly WeightFile[];
  /** Of a folder that adapts a model: config, weights and side files are those of its base, and `dir` is the base's. */
  readonly adapter?: Adapter;
  /** The other files that belong to the model (config, tokenizer, code) by name: what a checkpoint copies. */
  readonly sideFiles: ReadonlyMap<string, Uint8Array>;
}

export const SINGLE_FILE = 'model.safetensors';
export const INDEX_FILE = 'model.safetensors.index.json';
/** Beside the weights. */
const MOST = { files: 64, bytes: 256 * 2 ** 20 };

/**
 * Reads everything but tensor data.
 * @param base where the base model of an adapter lies; where its folder says when left out
 * @throws UserError `file: field: found, wanted`
 */
export async function openFolder(dir: string, base?: string): Promise<ModelFolder> {
  const adapter = await readAdapter(dir);
  if (!adapter) return openWhole(dir);
  const folder = base ?? baseFolder(adapter);
  const onAdapter = await readAdapter(folder);
  if (onAdapter)
    throw new UserError(
      `${join(dir, ADAPTER_CONFIG)}: base_model_name_or_path: ${folder} adapts a model itself, wanted a whole model: ${MERGE}`,
    );
  return { ...(await openWhole(folder)), adapter };
}

/** Whether it has the scalar head of a process reward model. */
export function hasRewardHead({ weights, adapter }: ModelFolder): boolean {
  const nameOf = nameIn();
  const files = adapter ? [...weights, adapter.weights] : weights;
  return files.some(({ tensors }) => tensors.some(({ name }) => nameOf(name) === 'reward_head.weight'));
}

async function openWhole(dir: string): Promise<ModelFolder> {
  const names = await readdir(dir).catch((error: unknown) => {
    throw new UserError(`${dir}: folder: ${systemFault(error) ?? 'unreadable'}, wanted a model folder`, 'ERR_FILE');
  });
  names.sort();
  const sideFiles = new Map<string, Uint8Array>();
  let left = MOST.bytes;
  for (const name of names) {
    // Some are written beside the weights by a checkpoint and no part of the model.
    const isOfCheckpoint = [INDEX_FILE, 'trainer.json', 'manifest.json'].includes(name);
    if (isOfCheckpoint || !/\.(json|py|model|txt|jinja)$/.test(name)) continue;
    if (sideFiles.size === MOST.files) throw new UserError(`${dir}: files: more than ${MOST.files} beside the weights`);
    const bytes = await readRegularFile(join(dir, name), left);
    left -= bytes.length;
    sideFiles.set(name, bytes);
  }
  const isObject = z.record(z.string(), z.unknown());
  const config = checked(isObject, parseSideFile({ dir, sideFiles }, 'config.json'), join(dir, 'config.json'));
  const weights = await readWeights(dir, names);
  // Names that PEFT gives to the tensors of a model while an adapter is around it.
  const unmerged = /(^|\.)(base_model\.model|lora_[AB]|lora_embedding_[AB]|base_layer|modules_to_save)\./;
  for (const { path, tensors } of weights) {
    const found = tensors.find(({ name }) => unmerged.test(name));
    if (found)
      throw new UserError(
        `${path}: ${shown(found.name)}: of an unmerged adapter (LoRA), wanted plain weights: ${MERGE}`,
      );
  }
  return { dir, config, weights, sideFiles };
}

const MERGE =
  'merge the adapter into its base model (PEFT: merge_and_unload, then save_pretrained; mstar export --merge)';

/** Parsed JSON side file; undefined where it is absent and `optional`. Throws UserError. */
export function parseSideFile(folder: Pick<ModelFolder, 'dir' | 'sideFiles'>, name: string, optional = false): unknown {
  const bytes = folder.sideFiles.get(name);
  if (bytes) return parseJson(bytes, join(folder.dir, name));
  if (optional) return undefined;
  throw new UserError(`${folder.dir}: ${name}: missing, wanted a model folder`, 'ERR_FILE');
}

async function readWeights(dir: string, names: readonly string[]): Promise<WeightFile[]> {
  if (names.includes(SINGLE_FILE)) return [await readSafetensors(join(dir, SINGLE_FILE))];
  if (!names.includes(INDEX_FILE)) {
    const other = names.find((name) =>
      /^(pytorch_model|consolidated).*\.(bin|pth|pt)(\.index\.json)?$|\.gguf$/.test(name),
    );
    const found = other === undefined ? 'none' : `only ${shown(other)}`;
    throw new UserError(`${dir}: weights: ${found}, wanted ${SINGLE_FILE} or ${INDEX_FILE}`);
  }
  const file = join(dir, INDEX_FILE);
  const schema = z.object({ weight_map: z.record(z.string(), z.string()) });
  const { weight_map: map } = checked(schema, await readJson(file), file);
  const places = new Map(Object.entries(map).filter(([name]) => !isBuffer(name)));
  const weights: WeightFile[] = [];
  for (const name of [...new Set(places.values())].sort()) {
    // A shard is a file of this folder; names that lead elsewhere are not followed.
    if (!/^[\w.-]+\.safetensors$/.test(name))
      throw new UserError(`${file}: weight_map: ${shown(name)}, wanted a plain file name`);
    weights.push(await readSafetensors(join(dir, name)));
  }
  const seen = new Set<string>();
  for (const { path, tensors } of weights) {
    for (const { name } of tensors) {
      const place = places.get(name);
      if (place === undefined || join(dir, place) !== path) {
        const said = place === undefined ? 'nowhere' : shown(place);
        throw new UserError(`${path}: ${shown(name)}: found here, ${INDEX_FILE} says ${said}`);
      }
      seen.add(name);
    }
  }
  for (const [name, place] of places) {
    if (!seen.has(name))
      throw new UserError(`${join(dir, place)}: ${shown(name)}: missing, ${INDEX_FILE} says it is here`);
  }
  return weights;
}
