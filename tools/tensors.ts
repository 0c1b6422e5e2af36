// Numbers of a safetensors file as 32-bit floats, and 32-bit floats as the bytes of a safetensors dtype.
// For tests, goldens and new checkpoints: the engine maps weights itself.

import type { TensorDtype, WeightFile } from '#src/checkpoint/safetensors.js';
import { openRegularFile, readExactly } from '#src/core/files.js';

export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Every tensor of the file, or those that `names` has. */
export async function readTensors(file: WeightFile, names?: ReadonlySet<string>): Promise<Map<string, Tensor>> {
  const tensors = new Map<string, Tensor>();
  const { handle } = await openRegularFile(file.path);
  try {
    for (const { name, dtype, shape, begin, end } of file.tensors) {
      if (names && !names.has(name)) continue;
      tensors.set(name, { shape, data: toFloats(await readExactly(handle, file.path, begin, end - begin), dtype) });
    }
  } finally {
    await handle.close();
  }
  return tensors;
}

/** Little-endian numbers of `dtype` as floats; exact. */
export function toFloats(bytes: Uint8Array, dtype: TensorDtype): Float32Array {
  if (dtype === 'F32') return new Float32Array(bytes.slice().buffer);
  const halves = new Uint16Array(bytes.slice().buffer);
  const floats = new Float32Array(halves.length);
  if (dtype === 'BF16') {
    const bits = new Uint32Array(floats.buffer);
    for (const [i, half] of halves.entries()) bits[i] = half << 16;
    return floats;
  }
  for (const [i, half] of halves.entries()) {
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    const sign = half & 0x8000 ? -1 : 1;
    if (exponent === 0) floats[i] = sign * fraction * 2 ** -24;
    else if (exponent === 31) floats[i] = fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    else floats[i] = sign * (1024 + fraction) * 2 ** (exponent - 25);
  }
  return floats;
}

/** The bytes of `floats` in `dtype`, rounded to nearest even. Finite values only. */
export function toBytes(floats: Float32Array, dtype: TensorDtype): Uint8Array {
  if (dtype === 'F32') return new Uint8Array(floats.slice().buffer);
  const halves = new Uint16Array(floats.length);
  const bits = new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
  for (const [i, value] of floats.entries()) {
    const word = bits[i] as number;
    if (dtype === 'BF16') halves[i] = (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
    else halves[i] = half(value, word);
  }
  return new Uint8Array(halves.buffer);
}

function half(value: number, word: number): number {
  const sign = (word >>> 16) & 0x8000;
  const size = Math.abs(value);
  if (size >= 65520) return sign | 0x7c00;
  // One unit in the last place of a half of this size; below 2^-14 halves are evenly spaced.
  const exponent = Math.max(((word >>> 23) & 255) - 127, -14);
  const units = roundHalfToEven(size / 2 ** (exponent - 10));
  return sign | (((exponent + 14) << 10) + units);
}

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
