// `npm run fuzz -- NAME --minutes N [--seed S]`: one parser for long, round after round with the next seed, until time
// is up or a fault is found. `--replay FILE` runs one saved input.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { deserialize } from 'node:v8';
import { Harness } from './harness.js';
import type { Target } from './target.js';
import { targets } from './targets.js';

const ROUND = 2000;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      minutes: { type: 'string', default: '5' },
      seed: { type: 'string', default: '1' },
      replay: { type: 'string' },
    },
  });
  const target = targets.find(({ name }) => name === positionals[0]);
  const names = targets.map(({ name }) => name).join(', ');
  if (!target) throw new Error(`fuzz: ${positionals[0] ?? 'no name'} given, wanted one of ${names}`);
  const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
  if (!(minutes > 0)) throw new Error(`--minutes: ${values.minutes}, wanted a number above 0`);
  if (!Number.isInteger(seed)) throw new Error(`--seed: ${values.seed}, wanted an integer`);
  const harness = new Harness({ worker: new URL('worker.js', import.meta.url), stopMs: 20_000, timed: true });
  try {
    if (values.replay === undefined) await fuzz(harness, target, minutes, seed);
    else await replay(harness, target, values.replay);
  } finally {
    await harness.close();
  }
}

async function fuzz(harness: Harness, target: Target, minutes: number, first: number): Promise<void> {
  const until = performance.now() + minutes * 60_000;
  let seed = first;
  for (; performance.now() < until; seed++) {
    const fault = await harness.fuzz(target, seed, ROUND);
    if (fault) throw new Error(fault.report);
  }
  console.log(`${target.name}: ${(seed - first) * ROUND} cases hold, seeds ${first} to ${seed - 1}`);
}

async function replay(harness: Harness, target: Target, file: string): Promise<void> {
  const fault = await harness.run(target.name, deserialize(readFileSync(file)));
  if (fault !== undefined) throw new Error(fault);
  console.log(`${target.name}: holds`);
}

try {
  await main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
