// Training over ranks: a child process for each. Whatever the number of ranks, a step leaves the same bytes.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { deserialize, serialize } from 'node:v8';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { STORED_BYTES, type StoredDtype, type TensorPlan, type WeightFile } from '../../src/checkpoint/safetensors.js';
import type { StepReport } from '../../src/core/types.js';
import {
  addon,
  type ModelSpec,
  type NativeModel,
  type Objective,
  type RawExample,
  type RawOptimizer,
} from '../../src/engine/binding.js';
import { image, optimizer, prompt, removeTemporary, spec, stream, temporary } from './tiny-model.js';

afterAll(removeTemporary);

interface Training {
  readonly spec: ModelSpec;
  readonly optimizer: RawOptimizer;
  readonly sizes?: { readonly block: number; readonly message: number };
  readonly restore?: { readonly files: readonly WeightFile<StoredDtype>[]; readonly version: number };
  readonly objective: Objective;
  /** By step, then by rank where ranks are to have unlike ones. */
  readonly batches: readonly (readonly RawExample[])[][];
  /** Files over which all parameters and moments are dealt, as many to each. */
  readonly save: readonly string[];
  /** The folder of these files as ranks but 0 know it, where that is another. */
  readonly elsewhere?: string;
}
interface Trained {
  readonly reports: readonly StepReport[];
  readonly failure?: { readonly code: string; readonly message: string };
  readonly after: readonly Float32Array[];
  readonly version: number;
  /** What was saved, one after the other. */
  readonly tensors: readonly TensorPlan<StoredDtype>[];
}

/** What each rank found, by rank and training. */
async function over(ranks: number, trainings: readonly Training[]): Promise<Trained[][]> {
  const job = path.join(temporary(), 'job');
  const store = net.createServer();
  store.listen(0, '127.0.0.1');
  await once(store, 'listening');
  const { port } = store.address() as net.AddressInfo;
  writeFileSync(job, serialize({ ranks, port, trainings }));
  const program = fileURLToPath(new URL('rank.mjs', import.meta.url));
  const { _handle: socket } = store as unknown as { readonly _handle: never };
  const children = Array.from({ length: ranks }, (_, rank) =>
    spawn(process.execPath, [program, job, String(rank)], {
      stdio: ['ignore', 'inherit', 'inherit', rank === 0 ? socket : 'ignore'],
    }),
  );
  store.close(); // else connections would come to this process as well
  try {
    const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0]));
    expect(codes).toEqual(children.map(() => 0));
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
  return children.map((_, rank) => deserialize(readFileSync(`${job}.${rank}`)));
}

// Large enough that matrices are cut, with an odd number of numbers in some.
const LARGER = {
  l_hidden: 96,
  l_intermediate: 101,
  vocab: 211,
  l_heads: 6,
  l_kv_heads: 2,
  v_hidden: 32,
  v_intermediate: 150,
};

/** Answers to questions with and without pictures: in many micro-batches the vision model is not reached. */
function batch(model: NativeModel, seed: number, prompts: number): RawExample[] {
  return Array.from({ length: prompts }, (_, p) => {
    const random = stream(100 * p + seed);
    const response = Int32Array.from({ length: 3 + ((5 * seed + 7 * p) % 11) }, () => 3 + Math.floor(random() * 50));
    const labels = Float32Array.from(response, () => random());
    const sampled = { advantage: random() - 0.5, logprobs: labels.map((x) => -4 * x) };
    return { ...prompt(model, p + seed, p % 3 === 0 ? [image(p)] : []), response, labels, sampled };
  });
}

interface Case {
  readonly name: string;
  readonly objective?: Objective;
  readonly spec?: Partial<ModelSpec>;
  readonly optimizer?: Partial<RawOptimizer>;
  readonly sizes?: Training['sizes'];
}
const MESSAGE = { block: 4096, message: 50_000 };
const ADAPTER = {
  targets: [
    'language_model.model.layers.0.attention.wqkv.weight',
    'language_model.model.layers.1.feed_forward.w1.weight',
  ],
  rank: 3,
  scale: 2,
  seed: 7,
};
const POLICY = { temperature: 0.8, clipLow: 0.2, clipHigh: 0.3, kl: 0, aggregation: 'response', length: 8 } as const;
const CASES: readonly Case[] = [
  { name: 'float32, clipped', optimizer: { clip: 0.5 } },
  { name: 'float32, step objective, vision frozen', objective: 'step', optimizer: { frozen: ['vision_model.'] } },
  { name: 'float32, two threads, small messages', spec: { threads: 2 }, sizes: MESSAGE },
  { name: 'bfloat16', spec: { dtype: 'bfloat16' } },
  {
    name: 'bfloat16, step objective, clipped',
    objective: 'step',
    spec: { dtype: 'bfloat16' },
    optimizer: { clip: 0.5 },
  },
  { name: 'float32, policy objective', objective: POLICY },
  { name: 'bfloat16, adapters alone', spec: { dtype: 'bfloat16', adapter: ADAPTER } },
  { name: 'float32, 8-bit moments', optimizer: { moments: '8bit' }, sizes: MESSAGE },
  { name: 'bfloat16, 8-bit moments', spec: { dtype: 'bfloat16', threads: 2 }, optimizer: { moments: '8bit' } },
  {
    name: 'adapters in 8-bit moments, step objective',
    objective: 'step',
    spec: { adapter: ADAPTER },
    optimizer: { moments: '8bit' },
  },
  { name: 'bfloat16, two threads, small messages', spec: { dtype: 'bfloat16', threads: 2 }, sizes: MESSAGE },
];

let model: NativeModel;
beforeAll(async () => {
  model = await addon().loadModel(spec({}, LARGER));
});
afterAll(() => model.dispose());

function trainingOf(
  { objective = 'response', sizes, ...c }: Case,
  steps: number[],
  restore?: Training['restore'],
): Training {
  const head = objective === 'step' ? 'mean' : 'none';
  const folder = temporary();
  return {
    spec: spec({ threads: 1, tokenBudget: 60, head, ...c.spec }, LARGER),
    optimizer: optimizer(c.optimizer),
    objective,
    batches: steps.map((step) => [batch(model, step, 6 + step)]),
    save: ['0.bin', '1.bin', '2.bin'].map((name) => path.join(folder, name)),
    ...(sizes && { sizes }),
    ...(restore && { restore }),
  };
}

/** What a training has saved. */
function checkpointOf({ save }: Training, { tensors, version }: Trained): Training['restore'] {
  const each = Math.ceil(tensors.length / save.length);
  const files = save.map((file, i) => {
    let at = 0;
    const ranges = tensors.slice(i * each, (i + 1) * each).map(({ name, dtype, shape }) => {
      const begin = at;
      at += shape.reduce((a, b) => a * b, STORED_BYTES[dtype]);
      return { name, shape, dtype, begin, end: at };
    });
    return { path: file, tensors: ranges };
  });
  return { files, version };
}

const bytesOf = ({ save }: Training): Buffer => Buffer.concat(save.map((file) => readFileSync(file)));

describe('a training over ranks', () => {
  let alone: { readonly trainings: readonly Training[]; readonly found: readonly Trained[] };
  beforeAll(async () => {
    const trainings = CASES.map((one) => trainingOf({ ...one, sizes: undefined }, [1, 2, 3]));
    alone = { trainings, found: (await over(1, trainings))[0] as Trained[] };
  });

  test.each([2, 3, 4])('has the bytes of one rank with %i', { timeout: 300_000 }, async (ranks) => {
    const trainings = CASES.map((one) => trainingOf(one, [1, 2, 3]));
    const found = await over(ranks, trainings);
    for (const [c, { name }] of CASES.entries()) {
      expect(bytesOf(trainings[c]!).equals(bytesOf(alone.trainings[c]!)), name).toBe(true);
      for (const rank of found) expect(rank[c], name).toEqual(alone.found[c]);
    }
  });

  test('that is cut inside the blocks has others', async () => {
    const odd = trainingOf({ ...CASES[0]!, sizes: { block: 7, message: 1 << 20 } }, [1, 2, 3]);
    await over(3, [odd]);
    expect(bytesOf(odd).equals(bytesOf(alone.trainings[0]!))).toBe(false);
  });

  test('goes on with another number of ranks', { timeout: 300_000 }, async () => {
    const cases = CASES.filter(({ name }) => /^float32, clipped|^bfloat16$|8-bit/.test(name));
    const before = cases.map((one) => trainingOf(one, [1, 2]));
    const [saved] = await over(3, before);
    for (const ranks of [1, 2]) {
      const after = cases.map((one, c) => trainingOf(one, [3], checkpointOf(before[c]!, saved![c]!)));
      const [found] = await over(ranks, after);
      for (const [c, one] of cases.entries()) {
        const whole = CASES.indexOf(one);
        expect(found?.[c]?.reports[0]).toEqual(alone.found[whole]?.reports[2]);
        expect(bytesOf(after[c]!).equals(bytesOf(alone.trainings[whole]!)), one.name).toBe(true);
      }
    }
  });

  test('leaves a step together where one rank fails in it, and goes on as if there had been none', async () => {
    const training = trainingOf(CASES[0]!, [1, 1, 2, 3]);
    const good = training.batches[0]![0]!;
    // Of a token that the vocabulary does not have.
    const bad = good.map((one) => ({ ...one, response: one.response.map(() => LARGER.vocab) }));
    const found = await over(3, [{ ...training, batches: [[good, bad, good], ...training.batches.slice(1)] }]);
    expect(found.map(([one]) => one?.failure?.code)).toEqual(['ERR_RANK', 'ERR_ENGINE', 'ERR_RANK']);
    expect(found[2]?.[0]?.failure?.message).toBe('rank 1 failed in a training step');
    for (const [one] of found) expect(one?.reports).toEqual(alone.found[0]?.reports);
    expect(bytesOf(training).equals(bytesOf(alone.trainings[0]!))).toBe(true);
  });

  test('writes the files of the others where one rank cannot write its own', async () => {
    const training = trainingOf(CASES[0]!, [1, 2, 3]);
    const [first, second, third] = training.save as [string, string, string];
    writeFileSync(first, 'is there');
    // The third would be of the rank that has failed.
    const found = await over(2, [training]);
    expect(found.map(([one]) => one?.failure?.message)).toEqual([`${first}: cannot create: File exists`, undefined]);
    expect(readFileSync(second).equals(readFileSync(alone.trainings[0]!.save[1]!))).toBe(true);
    expect(existsSync(third)).toBe(false);
  });

  test('writes all files by rank 0 where another does not see their folder', async () => {
    const training = { ...trainingOf(CASES[0]!, [1, 2, 3]), elsewhere: path.join(temporary(), 'none') };
    const found = await over(3, [training]);
    expect(found.map(([one]) => one?.failure)).toEqual([undefined, undefined, undefined]);
    expect(bytesOf(training).equals(bytesOf(alone.trainings[0]!))).toBe(true);
  });
});

test.each([1, 2, 3, 8])(
  'the parts of %i ranks are whole parameters, of about equal size, cut at multiples of 4096',
  (ranks) => {
    const sizes = [1, 4096, 4097, 12_345, 100_000, 77, 1 << 20];
    const cuts = addon().checks.cuts(sizes, ranks);
    const owned = new Array<number>(ranks).fill(0);
    for (const [p, parts] of cuts.entries()) {
      const inOrder = parts.filter(([, count]) => count > 0).sort(([a], [b]) => a - b);
      let at = 0;
      for (const [from, count] of inOrder) {
        expect(from).toBe(at);
        expect(from % 4096).toBe(0);
        at += count;
      }
      expect(at).toBe(sizes[p]);
      const blocks = parts.map(([, count]) => Math.ceil(count / 4096));
      expect(Math.max(...blocks) - Math.min(...blocks)).toBeLessThanOrEqual(1);
      for (const [rank, [, count]] of parts.entries()) owned[rank] = owned[rank]! + count;
    }
    const all = sizes.reduce((sum, size) => sum + size, 0);
    expect(Math.max(...owned) - all / ranks).toBeLessThan(sizes.length * 4096);
  },
);
