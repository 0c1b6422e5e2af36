// A model opened for golden checks, as it is or changed, and prompts in the words of the engine.
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ModelFolder, parseSideFile, SINGLE_FILE } from '#src/checkpoint/folder.js';
import { buildHeader } from '#src/checkpoint/safetensors.js';
import { writeFolder } from '#src/checkpoint/save.js';
import { addon, type Checks, type RawExample } from '#src/engine/binding.js';
import { guarded, guardedNow } from '#src/engine/native.js';
import { type ComputeOptions, describeModel, type OpenedModel, openModel } from '#src/engine/open.js';
import type { PictureLayout } from '#src/text/prompt.js';
import { readTensors, type Tensor, toBytes } from '../tensors.js';
import type { ModelChange, PromptInput } from './inputs.js';

/** Where the models of the checks compute, and in what. The reference numbers were made in float32 on the CPU. */
export type Compute = Pick<ComputeOptions, 'device' | 'dtype'>;

/** An opened model and what looks inside it. */
export interface CheckedModel extends OpenedModel {
  readonly checks: Pick<Checks, 'inspect' | 'gradients'>;
}

/** Opens `dir`, runs `work`, frees the model. */
export async function withModel<T>(
  dir: string,
  compute: Compute,
  head: 'none' | 'mean',
  work: (model: CheckedModel) => Promise<T>,
): Promise<T> {
  const model = await openModel(dir, { ...compute, threads: 0 }, head);
  try {
    return await work({ ...model, checks: addon().checks });
  } finally {
    await guarded(() => model.native.dispose());
  }
}

/** As `withModel`, with a changed copy of `folder` that is gone afterwards. */
export async function withChanged<T>(
  folder: ModelFolder,
  compute: Compute,
  change: ModelChange,
  work: (model: CheckedModel) => Promise<T>,
): Promise<T> {
  return inTemporaryFolder(async (parent) => {
    const dir = join(parent, 'model');
    const changed = changedFiles(folder, dir, change);
    const { backbone, numbers } = await describeModel(changed);
    const shapes = guardedNow(() => addon().parameterShapes(backbone.name, numbers));
    const tensors = shapes.map(({ name, shape }) => ({ name, shape, dtype: 'F32' as const }));
    const old = await tensorsOf(folder);
    await writeFolder(dir, [{ file: SINGLE_FILE, tensors }], [...changed.sideFiles], async () => {
      const file = await open(join(dir, SINGLE_FILE), 'wx');
      try {
        await file.writeFile(buildHeader(tensors));
        for (const { name, shape } of shapes) await file.writeFile(toBytes(weight(name, shape, change, old), 'F32'));
      } finally {
        await file.close();
      }
    });
    return withModel(dir, compute, 'none', work);
  });
}

/** Runs `work` with a new folder that is gone afterwards. */
export async function inTemporaryFolder<T>(work: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'mstar-golden-'));
  try {
    return await work(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Every tensor of the folder's weight files. */
async function tensorsOf({ weights }: Pick<ModelFolder, 'weights'>): Promise<Map<string, Tensor>> {
  const read = await Promise.all(weights.map((file) => readTensors(file)));
  return new Map(read.flatMap((tensors) => [...tensors]));
}

function weight(
  name: string,
  shape: readonly number[],
  change: ModelChange,
  old: ReadonlyMap<string, Tensor>,
): Float32Array {
  const same = old.get(name);
  return (
    change.weights?.(name, shape) ??
    (same?.shape.join() === shape.join()
      ? same.data
      : new Float32Array(shape.reduce((product, size) => product * size, 1)))
  );
}

function changedFiles(folder: ModelFolder, dir: string, { json }: ModelChange): ModelFolder {
  const sideFiles = new Map(folder.sideFiles);
  for (const [name, values] of Object.entries(json)) {
    const changed = withValues(parseSideFile(folder, name) as Record<string, unknown>, values);
    sideFiles.set(name, Buffer.from(JSON.stringify(changed)));
  }
  const config = parseSideFile({ dir, sideFiles }, 'config.json') as Record<string, unknown>;
  return { dir, config, weights: [], sideFiles };
}

/** A copy with dotted keys set; objects on the way are made where there are none. */
export function withValues(
  document: Readonly<Record<string, unknown>>,
  values: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const copy = structuredClone(document) as Record<string, unknown>;
  for (const [path, value] of Object.entries(values)) {
    const keys = path.split('.');
    const last = keys.pop() as string;
    let holder = copy;
    for (const key of keys) {
      holder[key] ??= {};
      holder = holder[key] as Record<string, unknown>;
    }
    holder[last] = value;
  }
  return copy;
}

export interface OpenedPrompt {
  readonly input: PromptInput;
  /** Tiles and tokens of each picture, by this model. */
  readonly layouts: readonly PictureLayout[];
  /** The golden ids with this project's pictures: a wrong prompt does not make the later stages wrong. */
  example(response: readonly number[]): RawExample;
}

export function openPrompt(model: OpenedModel, input: PromptInput): OpenedPrompt {
  const images = input.pictures;
  const layouts = images.map(({ width, height }) => guardedNow(() => model.native.imageLayout(width, height)));
  const tokens = Int32Array.from(input.ids);
  return { input, layouts, example: (response) => ({ tokens, images, response: Int32Array.from(response) }) };
}
