// Writes a checkpoint with random bfloat16 weights and the true dimensions and shards of a published model:
// `npm run make-random -- internvl2-2b DIR`. For load times, memory and speed; its answers mean nothing.
// Weights repeat one block of draws, so that the disk is what limits writing.

import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { findBackbone } from '#src/backbones/registry.js';
import { buildHeader, type TensorDtype } from '#src/checkpoint/safetensors.js';
import { writeFolder } from '#src/checkpoint/save.js';
import { UserError } from '#src/core/errors.js';
import { random } from '#src/core/random.js';
import { addon } from '#src/engine/binding.js';
import { describeModel } from '#src/engine/open.js';
import { BYTE_CHARACTERS } from '#src/text/byte-alphabet.js';
import { type Initial, initialOf } from '../initial.js';
import { runProgram } from '../program.js';
import { toBytes } from '../tensors.js';
import { tinyTokenizer } from '../tiny/model.js';
import { type RandomModel, randomModels } from './models.js';

interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: TensorDtype;
}
interface Shard {
  readonly file: string;
  readonly tensors: readonly NamedTensor[];
}

const BLOCK = 1 << 20;
const BYTES = 2;
const json = (value: unknown): Buffer => Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
const numbersIn = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** A byte-level tokenizer.json without merges: every byte is a token, after the special tokens that stand at the start. */
function byteTokenizer(specials: RandomModel['specials']): Buffer {
  const taken = new Set(Object.values(specials));
  const vocab: Record<string, number> = {};
  let id = 0;
  for (const character of BYTE_CHARACTERS) {
    while (taken.has(id)) id++;
    vocab[character] = id++;
  }
  const added = Object.entries(specials).map(([content, at]) => {
    const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
    return { id: at, content, ...plain };
  });
  return json({
    version: '1.0',
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: { type: 'BPE', byte_fallback: false, ignore_merges: true, vocab, merges: [] },
  });
}

/** Tensors in order, each file as full as it may be. */
function shards(tensors: readonly NamedTensor[], most: number | null): Shard[] {
  const files: NamedTensor[][] = [[]];
  let bytes = 0;
  for (const tensor of tensors) {
    const size = BYTES * numbersIn(tensor.shape);
    if (most !== null && bytes + size > most && bytes > 0) {
      files.push([]);
      bytes = 0;
    }
    files.at(-1)?.push(tensor);
    bytes += size;
  }
  const name = (index: number): string =>
    `model-${String(index + 1).padStart(5, '0')}-of-${String(files.length).padStart(5, '0')}.safetensors`;
  return files.map((part, index) => ({ file: most === null ? 'model.safetensors' : name(index), tensors: part }));
}

/** Blocks of bfloat16 draws by deviation, or of one constant. */
function blocks(): (initial: Initial) => Buffer {
  const { uniform } = random(1, 'make-random');
  const normal = Float32Array.from({ length: BLOCK }, (_, i) => {
    return Math.sqrt(-2 * Math.log(1 - uniform(2 * i))) * Math.cos(2 * Math.PI * uniform(2 * i + 1));
  });
  const made = new Map<string, Buffer>();
  return (initial) => {
    const key = JSON.stringify(initial);
    const known = made.get(key);
    if (known) return known;
    const scaled = normal.map((value) => ('constant' in initial ? initial.constant : value * initial.normal));
    const block = Buffer.from(toBytes(scaled, 'BF16'));
    made.set(key, block);
    return block;
  };
}

async function write(dir: string, { file, tensors }: Shard, blockFor: (tensor: NamedTensor) => Buffer): Promise<void> {
  const handle = await open(path.join(dir, file), 'wx');
  try {
    await handle.writeFile(buildHeader(tensors));
    for (const tensor of tensors) {
      const block = blockFor(tensor);
      let left = BYTES * numbersIn(tensor.shape);
      while (left > 0) {
        const part = block.subarray(0, Math.min(left, block.length));
        await handle.writeFile(part);
        left -= part.length;
      }
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}

await runProgram(async ([name, target]) => {
  const model = Object.hasOwn(randomModels, name ?? '') ? randomModels[name as string] : undefined;
  if (!model || !target)
    throw new UserError(
      `make-random: ${name}, ${target}: wanted MODEL DIR, MODEL one of ${Object.keys(randomModels).join(', ')}`,
    );
  const dir = path.resolve(target);
  if (existsSync(dir)) throw new UserError(`make-random: ${target} exists, wanted a new folder`);
  const { config, specials, sideFiles, shardBytes } = model;
  const backbone = await findBackbone(config, 'config');
  const decoder = Object.fromEntries(Object.entries(specials).map(([content, id]) => [id, { content, special: true }]));
  const tokenizer = backbone.tokenizerFile === 'tokenizer.json' ? byteTokenizer(specials) : tinyTokenizer().model;
  // A tokenizer.model names its own control pieces.
  const own =
    backbone.tokenizerFile === 'tokenizer.json'
      ? {}
      : { 0: { content: '<unk>' }, 1: { content: '<s>' }, 2: { content: '</s>' } };
  const small = new Map<string, Uint8Array>([
    ['config.json', json(config)],
    ['tokenizer_config.json', json({ ...backbone.tokenizerConfig, added_tokens_decoder: { ...own, ...decoder } })],
    [backbone.tokenizerFile, tokenizer],
    ...Object.entries(sideFiles).map(([file, contents]) => [file, json(contents)] as const),
  ]);
  const { numbers } = await describeModel({ dir, config, weights: [], sideFiles: small });
  const tensors = addon()
    .parameterShapes(backbone.name, numbers)
    .map(({ name: tensor, shape }) => ({ name: tensor, shape, dtype: 'BF16' as const }));
  const files = shards(tensors, shardBytes);
  const blockOf = blocks();
  await writeFolder(dir, files, [...small], async () => {
    for (const [index, file] of files.entries()) {
      await write(dir, file, ({ name, shape }) => blockOf(initialOf(backbone, name, shape, numbers)));
      console.error(`${file.file}: ${index + 1} of ${files.length} written`);
    }
  });
  const total = tensors.reduce((sum, { shape }) => sum + numbersIn(shape), 0);
  console.error(
    `${target}: ${(total / 1e9).toFixed(2)} billion parameters, ${tensors.length} tensors, ${files.length} file(s)`,
  );
});
