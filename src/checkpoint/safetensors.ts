// safetensors headers: read and checked before anything is mapped, and built for writing.

import { z } from 'zod';
import { UserError } from '../core/errors.js';
import { openRegularFile, readExactly } from '../core/files.js';
import { parseJson } from '../core/json.js';
import { shown } from '../core/printable.js';
import { checked } from '../core/schema.js';

export type TensorDtype = 'F32' | 'F16' | 'BF16';

/** With U8: codes of numbers, in the state of an optimizer. */
export type StoredDtype = TensorDtype | 'U8';

/** One tensor inside a safetensors file: absolute byte range in the file. */
export interface TensorRange<D extends string = TensorDtype> {
  readonly name: string;
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}
export interface WeightFile<D extends string = TensorDtype> {
  readonly path: string;
  /** In file order. */
  readonly tensors: readonly TensorRange<D>[];
  /** Texts that its writer put beside the tensors. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** A tensor of a file to be written. */
export interface TensorPlan<D extends StoredDtype = TensorDtype> {
  readonly name: string;
  readonly dtype: D;
  readonly shape: readonly number[];
  /** The engine's name where the file's differs. */
  readonly parameter?: string;
}

const MAX_HEADER_BYTES = 100_000_000;
const MAX_DIMENSIONS = 8;
/** Whether a tensor of this name is what some versions of a network's code store though it follows from the config. It is passed over, whatever its type. */
export function isBuffer(name: string): boolean {
  return /(^|\.)(position_ids|rotary_emb\.inv_freq)$/.test(name);
}

export const BYTES_PER_NUMBER: Readonly<Record<TensorDtype, number>> = { F32: 4, F16: 2, BF16: 2 };
export const STORED_BYTES: Readonly<Record<StoredDtype, number>> = { ...BYTES_PER_NUMBER, U8: 1 };
const BUFFER_BYTES: Readonly<Record<string, number>> = {
  ...BYTES_PER_NUMBER,
  ...{ BOOL: 1, U8: 1, I8: 1, I16: 2, U16: 2, I32: 4, U32: 4, I64: 8, U64: 8, F64: 8 },
};

/** Reads the header of a file of weights. Throws UserError `file: tensor: found, wanted`. */
export async function readSafetensors(path: string): Promise<WeightFile> {
  const { tensors, metadata } = await readRanges(path, BYTES_PER_NUMBER);
  return { path, tensors: tensors.filter(({ name }) => !isBuffer(name)), metadata };
}

/**
 * Reads the header of a safetensors file: byte ranges cover the data exactly, without hole or overlap.
 * @param sizes the dtypes it may have, with their bytes per number
 * @throws UserError `file: tensor: found, wanted`
 */
export async function readRanges<D extends string>(
  path: string,
  sizes: Readonly<Record<D, number>>,
): Promise<WeightFile<D>> {
  const { handle, size } = await openRegularFile(path);
  await using _ = handle;
  if (size < 8) throw new UserError(`${path}: size: ${size} bytes, wanted a safetensors file`);
  const length = Buffer.from(await readExactly(handle, path, 0, 8)).readBigUInt64LE();
  const most = Math.min(MAX_HEADER_BYTES, size - 8);
  if (length > BigInt(most)) throw new UserError(`${path}: header: ${length} bytes, wanted at most ${most}`);
  const dataStart = 8 + Number(length);
  const header = await readExactly(handle, path, 8, Number(length));
  if (header[0] !== 0x7b) throw new UserError(`${path}: header: does not begin with {, wanted a JSON object`);
  return { path, ...parseHeader(header, path, dataStart, size, sizes) };
}

function parseHeader<D extends string>(
  header: Uint8Array,
  path: string,
  dataStart: number,
  fileSize: number,
  sizes: Readonly<Record<D, number>>,
): Omit<WeightFile<D>, 'path'> {
  const tensors: TensorRange<D>[] = [];
  let metadata: Record<string, string> | undefined;
  for (const [name, entry] of Object.entries(parseJson(header, path) as Record<string, unknown>)) {
    if (name === '__metadata__') metadata = checked(z.record(z.string(), z.string()), entry, path, name);
    else
      tensors.push(parseTensor(name, entry, path, dataStart, isBuffer(name) ? { ...BUFFER_BYTES, ...sizes } : sizes));
  }
  tensors.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let at = dataStart;
  for (const { name, begin, end } of tensors) {
    if (begin !== at) {
      const wanted = `wanted ${at - dataStart} (no hole, no overlap)`;
      throw new UserError(`${path}: ${shown(name)}: data_offsets begin at ${begin - dataStart}, ${wanted}`);
    }
    at = end;
  }
  if (at !== fileSize) throw new UserError(`${path}: size: ${fileSize} bytes, wanted ${at} by the header`);
  return { tensors, metadata };
}

function parseTensor<D extends string>(
  name: string,
  entry: unknown,
  path: string,
  dataStart: number,
  sizes: Readonly<Record<D, number>>,
): TensorRange<D> {
  const refuse = (found: string, wanted: string): never => {
    throw new UserError(`${path}: ${shown(name)}: ${found}, wanted ${wanted}`);
  };
  const isCounts = (value: unknown): value is number[] =>
    Array.isArray(value) && value.every((count) => Number.isSafeInteger(count) && count >= 0);
  const fields = (typeof entry === 'object' && entry !== null ? entry : {}) as Record<string, unknown>;
  const { shape, data_offsets: offsets } = fields;
  const names = Object.keys(sizes) as D[];
  const dtype = names.find((name) => name === fields.dtype);
  if (dtype === undefined)
    return refuse(`dtype ${shown(fields.dtype)}`, `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`);
  if (!isCounts(shape) || shape.length > MAX_DIMENSIONS)
    return refuse(`shape ${shown(shape)}`, `at most ${MAX_DIMENSIONS} sizes`);
  if (!isCounts(offsets) || offsets.length !== 2) return refuse(`data_offsets ${shown(offsets)}`, 'two byte offsets');
  const [begin, end] = offsets as [number, number];
  // The product may pass 2^53; a count that does not fit exactly never equals the range's length.
  const bytes = shape.reduce((product, size) => product * BigInt(size), BigInt(sizes[dtype]));
  if (end < begin || BigInt(end - begin) !== bytes)
    return refuse(`data_offsets [${begin}, ${end}]`, `${bytes} bytes for ${dtype} of shape [${shape}]`);
  return { name, dtype, shape, begin: dataStart + begin, end: dataStart + end };
}

/** A complete header, the 8-byte length included, for tensors that follow one another in this order. */
export function buildHeader(
  tensors: readonly TensorPlan<StoredDtype>[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const entries: [string, unknown][] = [['__metadata__', { format: 'pt', ...metadata }]];
  let at = 0;
  for (const { name, dtype, shape } of tensors) {
    const end = at + shape.reduce((product, size) => product * size, STORED_BYTES[dtype]);
    entries.push([name, { dtype, shape, data_offsets: [at, end] }]);
    at = end;
  }
  // Not by assignment, which takes `__proto__` for no key of its own.
  const json = JSON.stringify(Object.fromEntries(entries));
  // Padded with spaces, so that the data begins at a multiple of 8.
  const text = Buffer.from(json + ' '.repeat((8 - (Buffer.byteLength(json) % 8)) % 8));
  const header = Buffer.alloc(8 + text.length);
  header.writeBigUInt64LE(BigInt(text.length));
  text.copy(header, 8);
  return header;
}
