// Makes a model folder with random weights, from a config and a tokenizer.

import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Backbone } from '#src/backbones/backbone.js';
import { findBackbone } from '#src/backbones/registry.js';
import { type ModelFolder, SINGLE_FILE } from '#src/checkpoint/folder.js';
import type { ParameterShape } from '#src/checkpoint/parameters.js';
import { buildHeader, type TensorDtype } from '#src/checkpoint/safetensors.js';
import { writeFolder } from '#src/checkpoint/save.js';
import { random } from '#src/core/random.js';
import { addon } from '#src/engine/binding.js';
import { guardedNow } from '#src/engine/native.js';
import { describeModel } from '#src/engine/open.js';
import { parseSentencePiece } from '#src/text/sentencepiece-file.js';
import { type Initial, initialOf } from './initial.js';
import { toBytes } from './tensors.js';

/**
 * Writes a new model into `dir`, which must not exist: the same arguments give the same bytes.
 * @param config contents of config.json; its vocabulary must hold the tokenizer's pieces and the special tokens that it lacks
 * @param files the tokenizer file of the backbone and what else its config reads, by name. Special tokens of a tokenizer.model
 *   that has no piece for them get the ids after its last; a tokenizer.json names its own
 * @param dtype of the weights on disk
 * @param sized weights whose shape says what the config does not; the backbone's usual sizes where left out
 * @throws UserError when config or tokenizer cannot be used
 */
export async function createCheckpoint(
  dir: string,
  config: Readonly<Record<string, unknown>>,
  files: Readonly<Record<string, Uint8Array>>,
  seed: number,
  dtype: TensorDtype,
  sized: readonly ParameterShape[] = [],
): Promise<void> {
  const backbone = await findBackbone(config, 'config');
  const tokenizerConfig = { ...backbone.tokenizerConfig, ...specialsOf(backbone, files) };
  const sideFiles = new Map([
    ['config.json', json(config)],
    ['tokenizer_config.json', json(tokenizerConfig)],
    ...Object.entries(files),
  ]);
  const known = { path: dir, tensors: sized.map((tensor) => ({ ...tensor, dtype, begin: 0, end: 0 })) };
  const folder: ModelFolder = { dir, config, weights: [known], sideFiles };
  const { numbers } = await describeModel(folder);
  const shapes = guardedNow(() => addon().parameterShapes(backbone.name, numbers));
  const tensors = shapes.map(({ name, shape }) => ({ name, shape, dtype }));
  await writeFolder(dir, [{ file: SINGLE_FILE, tensors }], [...sideFiles], async () => {
    const file = await open(join(dir, SINGLE_FILE), 'wx');
    try {
      await file.writeFile(buildHeader(tensors));
      for (const parameter of shapes) {
        await file.writeFile(
          toBytes(fill(parameter, initialOf(backbone, parameter.name, parameter.shape, numbers), seed), dtype),
        );
      }
      await file.sync();
    } finally {
      await file.close();
    }
  });
}

/** What tokenizer_config.json says of the special tokens. */
function specialsOf(backbone: Backbone, files: Readonly<Record<string, Uint8Array>>): Record<string, unknown> {
  const bytes = files[backbone.tokenizerFile];
  if (!bytes || backbone.tokenizerFile === 'tokenizer.json') return {};
  const { pieces } = parseSentencePiece(bytes, backbone.tokenizerFile);
  const specials = new Map<number, string>();
  for (const [id, { text, kind }] of pieces.entries())
    if (kind === 'control' || kind === 'unknown') specials.set(id, text);
  let next = pieces.length;
  for (const text of backbone.specials) {
    const id = pieces.findIndex((piece) => piece.text === text);
    specials.set(id === -1 ? next++ : id, text);
  }
  const decoder = Object.fromEntries([...specials].map(([id, content]) => [id, { content, special: true }]));
  return { added_tokens_decoder: decoder };
}

function json(value: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
}

/** Each parameter draws from a stream of its own, so that its numbers depend on the seed, its name and its shape alone. */
function fill({ name, shape }: ParameterShape, initial: Initial, seed: number): Float32Array {
  const floats = new Float32Array(shape.reduce((product, size) => product * size, 1));
  if ('constant' in initial) return floats.fill(initial.constant);
  const { uniform } = random(seed, `initial/${name}`);
  // Box-Muller: two uniform draws give two normal ones; 1 - u is never 0.
  for (let i = 0; i < floats.length; i += 2) {
    const radius = initial.normal * Math.sqrt(-2 * Math.log(1 - uniform(i)));
    const angle = 2 * Math.PI * uniform(i + 1);
    floats[i] = radius * Math.cos(angle);
    floats[i + 1] = radius * Math.sin(angle);
  }
  return floats;
}
