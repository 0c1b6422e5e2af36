// Metrics written while a run goes on: nothing twice, nothing lost, and never the end of a run.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { curvesOf } from '../../../src/report/curves.js';
import { LiveMetrics } from '../../../src/report/live.js';
import { readRun } from '../../../src/report/read.js';

let dir: string;
let now: number;
let said: string[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'mstar-live-'));
  now = 1000;
  said = [];
  writeFileSync(join(dir, 'config.yaml'), 'seed: 1\n');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const step = (phase: string, loss: number) => ({
  event: 'step',
  phase,
  loss,
  gradNorm: 1,
  lr: 0.1,
  tokens: 10,
  version: 1,
});
const commit = (phase: string, result: object) => ({
  event: 'commit',
  phase,
  result,
  tokens: { sampled: 0, scored: 0, trained: 0 },
  outputs: {},
  checkpoint: null,
});
const greedy = (accuracy: number) => ({
  problems: 10,
  failed: 0,
  correct: 5,
  accuracy,
  low: 0,
  high: 1,
  unreadable: 0,
  meanTokens: 3,
});
const journal = (...events: object[]) =>
  writeFileSync(join(dir, 'journal.jsonl'), events.map((event) => `${JSON.stringify(event)}\n`).join(''));
const open = () =>
  new LiveMetrics({ dir, to: ['tensorboard', 'jsonl'], say: (text) => said.push(text), clock: () => now, everyS: 5 });
const lines = () =>
  readFileSync(join(dir, 'metrics.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { tag: string; step: number; value: number; time: number });
const values = (tag: string) => lines().flatMap((line) => (line.tag === tag ? [[line.step, line.value]] : []));

const first = [
  step('warmup', 3),
  commit('test-base', { at: 'base', greedy: greedy(0.2) }),
  commit('test-warmup', { at: 'warmup', greedy: greedy(0.3) }),
  step('iter-0001', 2),
];
const more = [step('iter-0001', 1.5), commit('test-iter-0001', { at: 'iter-0001', greedy: greedy(0.5) })];

describe('metrics of a run that goes on', () => {
  test('grow with the journal, each point once', async () => {
    const live = open();
    journal(...first);
    await live.update();
    journal(...first, ...more);
    now += 10;
    await live.update();
    await live.flush();
    expect(values('train/loss')).toEqual([
      [1, 2],
      [2, 1.5],
    ]);
    expect(values('eval/test_accuracy')).toEqual([
      [0, 0.3],
      [1, 0.5],
    ]);
    expect(values('eval/base_test_accuracy')).toEqual([[0, 0.2]]);
    expect(lines()).toHaveLength(curvesOf(await readRun(dir)).length);
    expect(lines().at(-1)?.time).toBe(1010);
  });

  test('are not looked at again within seconds', async () => {
    const live = open();
    journal(...first);
    await live.update();
    journal(...first, ...more);
    now += 1;
    await live.update();
    expect(values('train/loss')).toEqual([[1, 2]]);
  });

  test('are made anew by the next process, without what the journal has lost', async () => {
    journal(...first, ...more);
    await open().flush();
    journal(...first);
    now += 100;
    await open().flush();
    expect(values('train/loss')).toEqual([[1, 2]]);
    expect(readdirSync(join(dir, 'metrics'))).toEqual(['events.out.tfevents.1100.mstar']);
  });

  test('say once why there are no more of them, and go on', async () => {
    journal(...first);
    writeFileSync(join(dir, 'metrics'), 'a file in the way');
    const live = open();
    await live.flush();
    await live.flush();
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/^warning: no more metrics: /);
  });
});

const python = process.env.MSTAR_TENSORBOARD_PYTHON;
test.skipIf(!python)(
  'are read by TensorBoard itself (MSTAR_TENSORBOARD_PYTHON names a Python that has it)',
  async () => {
    const live = open();
    journal(...first);
    await live.flush();
    journal(...first, ...more);
    await live.flush();
    const script = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1]); events.Reload()
print(json.dumps({tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in events.Tags()['scalars']}))`;
    const { stdout, stderr } = spawnSync(python as string, ['-c', script, join(dir, 'metrics')], { encoding: 'utf8' });
    const read = JSON.parse(stdout || JSON.stringify({ error: stderr })) as Record<string, number[][]>;
    const wanted: Record<string, number[][]> = {};
    for (const { tag, step: at, value } of curvesOf(await readRun(dir))) {
      wanted[tag] = [...(wanted[tag] ?? []), [at, Math.fround(value)]];
    }
    expect(read).toEqual(wanted);
  },
  60_000,
);
