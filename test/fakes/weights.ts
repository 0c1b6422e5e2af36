// The weight files of a model folder rewritten for tests: tensors changed, left out or added, spread over shards.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openFolder } from '../../src/checkpoint/folder.js';
import { buildHeader } from '../../src/checkpoint/safetensors.js';

/** A tensor of a folder and its bytes. */
export interface Stored {
  name: string;
  dtype: 'F32' | 'F16' | 'BF16';
  shape: readonly number[];
  bytes: Uint8Array;
}

/** Every tensor of the folder, in file order. */
export async function stored(dir: string): Promise<Stored[]> {
  const { weights } = await openFolder(dir);
  return weights.flatMap(({ path, tensors }) => {
    const file = readFileSync(path);
    return tensors.map(({ name, dtype, shape, begin, end }) => ({
      name,
      dtype,
      shape,
      bytes: file.subarray(begin, end),
    }));
  });
}

function write(file: string, tensors: readonly Stored[]): void {
  writeFileSync(file, Buffer.concat([buildHeader(tensors), ...tensors.map(({ bytes }) => bytes)]));
}

/** The folder with its tensors as `change` leaves them, in one file. */
export async function changed(dir: string, change: (tensors: Stored[]) => Stored[]): Promise<string> {
  write(join(dir, 'model.safetensors'), change(await stored(dir)));
  return dir;
}

/** The folder with its tensors in `count` shards. */
export async function sharded(dir: string, count: number): Promise<string> {
  const tensors = await stored(dir);
  rmSync(join(dir, 'model.safetensors'));
  const map: Record<string, string> = {};
  for (let shard = 0; shard < count; shard++) {
    const file = `model-0000${shard + 1}-of-0000${count}.safetensors`;
    const own = tensors.filter((_, i) => Math.floor((i * count) / tensors.length) === shard);
    for (const { name } of own) map[name] = file;
    write(join(dir, file), own);
  }
  writeFileSync(join(dir, 'model.safetensors.index.json'), JSON.stringify({ metadata: {}, weight_map: map }));
  return dir;
}
