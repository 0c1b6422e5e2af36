// Golden folders written by tests, and a model without a network that answers with given numbers.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Backbone } from '../../src/backbones/backbone.js';
import type { ModelFolder } from '../../src/checkpoint/folder.js';
import type { SaveFile } from '../../src/checkpoint/save.js';
import type { NativeModel } from '../../src/engine/binding.js';
import type { OpenedModel } from '../../src/engine/open.js';
import type { PictureLayout } from '../../src/text/prompt.js';
import type { Tokenizer } from '../../src/text/tokenizer.js';
import type { GoldenFolder } from '../../tools/golden/inputs.js';
import { checkCase } from '../../tools/golden/network.js';
import type { Numbers } from '../../tools/golden/numbers.js';
import { type Line, Report } from '../../tools/golden/report.js';
import type { CheckedModel } from '../../tools/golden/session.js';
import { temporary } from '../fakes/model-folder.js';

export type Tensors = Readonly<Record<string, Numbers>>;

/** Numbers start, start + 1, ... over 16 of this shape: exact in float32, no two alike. */
export function ramp(shape: readonly number[], start = 0): Numbers {
  const size = shape.reduce((product, dimension) => product * dimension, 1);
  return { shape, data: Float32Array.from({ length: size }, (_, i) => (start + i) / 16) };
}

/** A copy in which one number is larger by 1. */
export function bumped({ shape, data }: Numbers, index = 0): Numbers {
  const copy = data instanceof Float32Array ? data.slice() : Array.from(data);
  copy[index] = (copy[index] as number) + 1;
  return { shape, data: copy };
}

/** A new folder with these files: texts as they are, other values as JSON, `*.safetensors` from tensors. */
export function writeGolden(files: Readonly<Record<string, unknown>>): string {
  const dir = temporary();
  for (const [name, content] of Object.entries(files)) {
    const file = join(dir, name);
    mkdirSync(dirname(file), { recursive: true });
    if (name.endsWith('.safetensors')) writeFileSync(file, tensorBytes(content as Tensors));
    else writeFileSync(file, content instanceof Uint8Array ? content : JSON.stringify(content));
  }
  return dir;
}

/** Tensors of Float32Array as F32, others as I64. */
function tensorBytes(tensors: Tensors): Buffer {
  const header: Record<string, unknown> = {};
  const bodies: Uint8Array[] = [];
  let at = 0;
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    const float = data instanceof Float32Array;
    const values = float ? data : BigInt64Array.from(Array.from(data), BigInt);
    bodies.push(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    header[name] = { dtype: float ? 'F32' : 'I64', shape, data_offsets: [at, at + values.byteLength] };
    at += values.byteLength;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...bodies]);
}

export function folderOf(
  dir: string,
  config: Readonly<Record<string, unknown>> = {},
  side: readonly string[] = [],
): ModelFolder {
  const sideFiles = new Map(side.map((name) => [name, Uint8Array.from(readFileSync(join(dir, name)))]));
  return { dir, config, weights: [], sideFiles };
}

/** One id per character, its code; specials have the ids that `names` gives them. */
function fakeTokenizer(names: Readonly<Record<string, number>>): Tokenizer {
  return {
    size: 2 ** 16,
    encode: (text) => Int32Array.from(text, (character) => character.codePointAt(0) as number),
    decode: (ids) => ({ text: String.fromCodePoint(...Array.from(ids)), ends: new Uint32Array() }),
    idOf: (name) => names[name],
  };
}

export interface FakeModel {
  readonly backbone: Pick<Backbone, 'begin' | 'endOfTurn' | 'imageToken' | 'picture' | 'ask' | 'render'>;
  readonly specials: Readonly<Record<string, number>>;
  layout?(width: number, height: number): PictureLayout;
  readonly stages?: Tensors;
  readonly logprobs?: readonly number[];
  /** Weights before and after a step. */
  readonly weights?: Tensors;
  readonly stepped?: Tensors;
  readonly gradients?: Tensors;
  readonly loss?: number;
  readonly scores?: readonly number[];
}

export function fakeModel(fake: FakeModel): CheckedModel {
  let weights = fake.weights ?? {};
  const checks = {
    inspect: async () => fake.stages ?? {},
    gradients: async () => ({ loss: fake.loss, gradients: fake.gradients }),
  };
  const native = {
    imageLayout: (width: number, height: number) => fake.layout?.(width, height),
    logprobs: async () => [Float32Array.from(fake.logprobs ?? [])],
    score: async () => [Float32Array.from(fake.scores ?? [])],
    setOptimizer: async () => {},
    async trainStep() {
      weights = fake.stepped ?? weights;
      const squares = Object.values(fake.gradients ?? {}).flatMap(({ data }) => Array.from(data, (x) => x * x));
      return { loss: fake.loss, gradNorm: Math.sqrt(squares.reduce((sum, x) => sum + x, 0)) };
    },
    async save(files: readonly SaveFile[]) {
      for (const { path, header, tensors } of files) {
        const bodies = tensors.map(({ name }) => Float32Array.from((weights[name] as Numbers).data));
        writeFileSync(path, Buffer.concat([header, ...bodies.map((body) => new Uint8Array(body.buffer))]));
      }
    },
  };
  const parameters = Object.entries(fake.weights ?? {}).map(([name, { shape }]) => ({ name, shape }));
  const tensors = parameters.map(({ name, shape }) => ({ name, shape, dtype: 'F32' as const, begin: 0, end: 0 }));
  const folder = { ...folderOf('fake'), weights: [{ path: 'fake/model.safetensors', tensors }] };
  return {
    folder,
    backbone: fake.backbone as Backbone,
    tokenizer: fakeTokenizer(fake.specials),
    tokenizerName: 'fake',
    numbers: {} as OpenedModel['numbers'],
    stops: [],
    native: native as unknown as NativeModel,
    checks: checks as unknown as CheckedModel['checks'],
    parameters,
    adapter: undefined,
    own: parameters,
  };
}

/** The lines of every case. */
export async function linesOf(golden: GoldenFolder, model: CheckedModel): Promise<readonly Line[]> {
  const report = new Report(() => {});
  for (const input of golden.cases) await checkCase(report, model, input);
  return report.lines;
}

/** Stages that differ, in order. */
export function differing(lines: readonly Line[]): string[] {
  return lines.filter(({ ok }) => !ok).map(({ stage }) => stage);
}
