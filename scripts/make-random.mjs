// Writes a checkpoint with random bfloat16 weights and the true dimensions and shards of a published model:
// `npm run make-random -- internvl2-2b DIR`. For load times, memory and speed; its answers mean nothing.
// Sizes and ids stand in random-models.mjs. Weights repeat one block of draws, so that the disk is what limits writing.
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { runMain, SetupError, say } from './log.mjs';
import { randomModels } from './random-models.mjs';

const dist = (file) => import(new URL(`../dist/${file}`, import.meta.url).href);
const { findBackbone } = await dist('backbones/registry.js');
const { describeModel } = await dist('engine/open.js');
const { addon } = await dist('engine/binding.js');
const { buildHeader } = await dist('checkpoint/safetensors.js');
const { writeFolder } = await dist('checkpoint/save.js');
const { toBytes } = await dist('checkpoint/tensors.js');
const { random } = await dist('core/random.js');
const { BYTE_CHARACTERS } = await dist('text/byte-alphabet.js');
const { tinyTokenizer } = await dist('problems/tiny-model.js');

const BLOCK = 1 << 20;
const BYTES = 2;
const json = (value) => Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
const numbersIn = (shape) => shape.reduce((product, size) => product * size, 1);

/** A byte-level tokenizer.json without merges: every byte is a token, after the special tokens that stand at the start. */
function byteTokenizer(specials) {
  const taken = new Set(Object.values(specials));
  const vocab = {};
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
function shards(tensors, most) {
  const files = [[]];
  let bytes = 0;
  for (const tensor of tensors) {
    const size = BYTES * numbersIn(tensor.shape);
    if (most !== null && bytes + size > most && bytes > 0) {
      files.push([]);
      bytes = 0;
    }
    files.at(-1).push(tensor);
    bytes += size;
  }
  const name = (index) =>
    `model-${String(index + 1).padStart(5, '0')}-of-${String(files.length).padStart(5, '0')}.safetensors`;
  return files.map((part, index) => ({ file: most === null ? 'model.safetensors' : name(index), tensors: part }));
}

/** Blocks of bfloat16 draws by deviation, or of one constant. */
function blocks() {
  const { uniform } = random(1, 'make-random');
  const normal = Float32Array.from({ length: BLOCK }, (_, i) => {
    return Math.sqrt(-2 * Math.log(1 - uniform(2 * i))) * Math.cos(2 * Math.PI * uniform(2 * i + 1));
  });
  const made = new Map();
  return (initial) => {
    const key = JSON.stringify(initial);
    if (!made.has(key)) {
      const scaled = normal.map((value) => ('constant' in initial ? initial.constant : value * initial.normal));
      made.set(key, Buffer.from(toBytes(scaled, 'BF16')));
    }
    return made.get(key);
  };
}

async function write(dir, { file, tensors }, backbone, numbers, blockOf) {
  const handle = await open(path.join(dir, file), 'wx');
  try {
    await handle.writeFile(buildHeader(tensors));
    for (const { name, shape } of tensors) {
      const block = blockOf(backbone.initial(name, shape, numbers));
      let left = BYTES * numbersIn(shape);
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

await runMain(async () => {
  const [name, target] = process.argv.slice(2);
  if (!Object.hasOwn(randomModels, name ?? '') || !target)
    throw new SetupError(
      `make-random: ${name}, ${target}: wanted MODEL DIR, MODEL one of ${Object.keys(randomModels).join(', ')}`,
    );
  const dir = path.resolve(target);
  if (existsSync(dir)) throw new SetupError(`make-random: ${target} exists, wanted a new folder`);
  const { config, specials, sideFiles, shardBytes } = randomModels[name];
  const backbone = await findBackbone(config, 'config');
  const decoder = Object.fromEntries(Object.entries(specials).map(([content, id]) => [id, { content, special: true }]));
  const tokenizer = backbone.tokenizerFile === 'tokenizer.json' ? byteTokenizer(specials) : tinyTokenizer().model;
  // A tokenizer.model names its own control pieces.
  const own =
    backbone.tokenizerFile === 'tokenizer.json'
      ? {}
      : { 0: { content: '<unk>' }, 1: { content: '<s>' }, 2: { content: '</s>' } };
  const small = new Map([
    ['config.json', json(config)],
    ['tokenizer_config.json', json({ ...backbone.tokenizerConfig, added_tokens_decoder: { ...own, ...decoder } })],
    [backbone.tokenizerFile, tokenizer],
    ...Object.entries(sideFiles).map(([file, contents]) => [file, json(contents)]),
  ]);
  const { numbers } = await describeModel({ dir, config, weights: [], sideFiles: small });
  const tensors = addon()
    .parameterShapes(backbone.name, numbers)
    .map(({ name: tensor, shape }) => ({ name: tensor, shape, dtype: 'BF16' }));
  const files = shards(tensors, shardBytes);
  const blockOf = blocks();
  await writeFolder(dir, files, [...small], async () => {
    for (const [index, file] of files.entries()) {
      await write(dir, file, backbone, numbers, blockOf);
      say(`${file.file}: ${index + 1} of ${files.length} written`);
    }
  });
  const total = tensors.reduce((sum, { shape }) => sum + numbersIn(shape), 0);
  say(`${target}: ${(total / 1e9).toFixed(2)} billion parameters, ${tensors.length} tensors, ${files.length} file(s)`);
});
