// Metrics of a run while it goes on, on the fake learner: whole, unchanged by a kill, never a reason to fail.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import exportCommand from '../../../../src/commands/export.js';
import type { ConfigInput } from '../../../../src/config/schema.js';
import { evolve } from '../../../../src/jobs/jobs.js';
import { Run } from '../../../../src/run/folder.js';
import type { Display } from '../../../../src/run/terminal.js';
import { curvesOf } from '../../../../src/views/metrics/curves.js';
import * as files from '../../../../src/views/metrics/files.js';
import { Metrics } from '../../../../src/views/metrics/metrics.js';
import { readEvents } from '../../../../src/views/run/read.js';
import { fakeHost } from '../../../fakes/host.js';
import { fingerprint } from '../../../integration/folders.js';
import { smallRecipe } from '../../../integration/recipe.js';
import { readEventFile } from './events.js';

vi.mock('../../../../src/views/metrics/files.js', { spy: true });

let root: string;
let run: string;
/** The folder of the run as a kill inside the training of its second iteration would have left it. */
let killed: string;
let killedAt: number;

const optimizer = { lr: 0.06, batchSize: 8, weightDecay: 0 };
const recipe = (name: string): ConfigInput =>
  smallRecipe(root, name, {
    evolve: { iterations: 2, interval: 24, n: 6, optimizer, unlabelled: { answers: 'pseudo', after: 0.5 } },
  });
const both = ['jsonl', 'tensorboard'] as const;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'mstar-metrics-'));
  run = join(root, 'run');
  killed = join(root, 'killed');
  const show: Display['show'] = ({ title, done }) => {
    if (title !== 'iter-0002: training' || done < 5 || existsSync(killed)) return;
    cpSync(run, killed, { recursive: true });
    killedAt = Date.now() / 1000;
    for (const name of readdirSync(killed)) if (name.startsWith('lock-')) rmSync(join(killed, name));
  };
  const display = { show, say() {}, close() {} };
  await evolve(recipe('run'), { host: fakeHost({ delayMs: 1 }), display, reportTo: both });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));
afterEach(() => vi.clearAllMocks());

const linesOf = (dir: string): files.Metric[] =>
  readFileSync(join(dir, 'metrics.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as files.Metric);
const untimed = (metrics: readonly files.Metric[]) => metrics.map(({ wallSeconds: _, ...point }) => point);
const keyOf = ({ tag, step }: files.Metric): string => `${tag}@${step}`;
/** Those that hold anything: the one before is left empty. */
const eventFiles = (dir: string): string[] =>
  readdirSync(dir).filter((name) => name.includes('tfevents') && statSync(join(dir, name)).size > 0);
const eventsOf = (dir: string) => readEventFile(readFileSync(join(dir, eventFiles(dir)[0] as string)));

describe('metrics.jsonl', () => {
  test('has what the journal tells, once for each tag and step', async () => {
    const lines = linesOf(run);
    expect(untimed(lines)).toEqual(curvesOf(await readEvents(run)));
    expect(new Set(lines.map(keyOf)).size).toBe(lines.length);
    const groups = new Set(lines.map(({ tag }) => tag.split('/')[0]));
    expect([...groups].sort()).toEqual(
      ['dynamics', 'final', 'prm', 'pseudo', 'rollout', 'test', 'train', 'train-prm', 'warmup'].sort(),
    );
  });

  test('has the time at which each value was seen, in order', () => {
    const times = linesOf(run).map(({ wallSeconds }) => wallSeconds as number);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect((times.at(-1) as number) - (times[0] as number)).toBeGreaterThan(0.2);
  });
});

describe('the event file', () => {
  test('lies in the run folder, so that a run has its own name, and holds the same scalars and times', () => {
    expect(eventFiles(run)).toHaveLength(1);
    const [version, start, ...scalars] = eventsOf(run);
    expect([version?.version, start?.starts]).toEqual(['brain.Event:2', true]);
    expect(scalars.map(({ tag, step, value, wallSeconds }) => ({ tag, step, value, wallSeconds }))).toEqual(
      linesOf(run).map(({ tag, step, value, wallSeconds }) => ({ tag, step, value: Math.fround(value), wallSeconds })),
    );
  });
});

describe('a run that was killed inside a training', () => {
  let before: files.Metric[];
  beforeAll(async () => {
    before = linesOf(killed);
    await evolve(recipe('killed'), { host: fakeHost(), reportTo: both });
  });

  test('ends with the same metrics as an undisturbed one: nothing doubled, nothing lost', () => {
    // The kill fell inside the training; how many of its steps had reached the file by then depends on the disk.
    expect(before.filter(({ phase, tag }) => phase === 'iter-0002' && tag === 'train/loss').length).toBeGreaterThan(0);
    expect(untimed(linesOf(killed))).toEqual(untimed(linesOf(run)));
    expect(eventFiles(killed)).toHaveLength(1);
    const scalars = (dir: string) => eventsOf(dir).map(({ tag, step, value }) => [tag, step, value]);
    expect(scalars(killed)).toEqual(scalars(run));
  });

  test('keeps the times of what was done before the kill', () => {
    const times = new Map(linesOf(killed).map((metric) => [keyOf(metric), metric.wallSeconds as number]));
    expect(before.length).toBeGreaterThan(50);
    expect(before.filter((metric) => times.get(keyOf(metric)) !== metric.wallSeconds)).toEqual([]);
    expect(Math.max(...times.values())).toBeGreaterThan(killedAt);
  });

  test('has the bytes of a run without metrics in every other file', async () => {
    await evolve(recipe('plain'), { host: fakeHost() });
    expect(existsSync(join(root, 'plain/metrics.jsonl'))).toBe(false);
    const others = (dir: string) =>
      Object.fromEntries(Object.entries(fingerprint(dir)).filter(([name]) => !/metrics\.jsonl|tfevents/.test(name)));
    expect(others(killed)).toEqual(others(join(root, 'plain')));
  });
});

test('metrics asked for later hold the whole run; times that nobody took are null, and the file says when it was made', async () => {
  const late = join(root, 'late');
  cpSync(run, late, { recursive: true });
  for (const name of ['metrics.jsonl', ...eventFiles(late)]) rmSync(join(late, name));
  await evolve(recipe('late'), { host: fakeHost(), reportTo: both });
  expect(untimed(linesOf(late))).toEqual(untimed(linesOf(run)));
  expect(new Set(linesOf(late).map(({ wallSeconds }) => wallSeconds))).toEqual(new Set([null]));
  const [version, , ...scalars] = eventsOf(late);
  expect(new Set(scalars.map(({ wallSeconds }) => wallSeconds))).toEqual(new Set([version?.wallSeconds]));
});

test('the export for TensorBoard has the same scalars with their times, and one file however often it is asked for', async () => {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const out = join(root, 'exported');
  const flags = { checkpoint: undefined, merge: undefined, dtype: undefined };
  for (const _ of [1, 2, 3])
    await exportCommand.handler({ ...flags, run, as: 'tensorboard', json: false, quiet: false, out, _: [], $0: '' });
  write.mockRestore();
  expect(eventFiles(join(out, 'run'))).toHaveLength(1);
  expect(readdirSync(join(out, 'run'))).toHaveLength(2);
  expect(eventsOf(join(out, 'run')).slice(2)).toEqual(eventsOf(run).slice(2));
});

describe('metrics that cannot be written', () => {
  let dir: string;
  let said: string[];

  /** Opens a run, follows it and does one phase of three optimizer steps. */
  async function work(prepare: () => void = () => {}, event = {}): Promise<void> {
    dir = mkdtempSync(join(root, 'broken-'));
    said = [];
    const display = { show() {}, say: (text: string) => said.push(text), close() {} };
    const opened = await Run.open({ dir, settings: {}, display });
    prepare();
    const metrics = await Metrics.follow(opened, both);
    const step = { loss: 1, gradNorm: 1, lr: 1, tokens: 1, version: 1, ...event };
    await opened.phase('warmup', async (phase) => {
      for (const _ of [1, 2, 3]) phase.record('step', step);
    });
    await metrics.close();
    await opened.close();
    expect(readFileSync(join(dir, 'journal.jsonl'), 'utf8')).toContain('"commit"');
  }

  test('cost one line, and the other file is written', async () => {
    await work(() => mkdirSync(join(dir, 'metrics.jsonl')));
    expect(said).toEqual(['warning: metrics.jsonl can no longer be written (EISDIR); the run goes on without']);
    expect(eventsOf(dir)).toHaveLength(2 + 9);
  });

  test('from some moment on, as on a full disk, are given up there', async () => {
    vi.mocked(files.openLines).mockImplementationOnce(async () => ({
      name: 'metrics.jsonl',
      append: () => Promise.reject(Object.assign(new Error('write'), { code: 'ENOSPC' })),
      close: async () => {},
    }));
    await work();
    expect(said).toEqual(['warning: metrics.jsonl can no longer be written (ENOSPC); the run goes on without']);
    expect(eventsOf(dir)).toHaveLength(2 + 9);
  });

  test('because an event has another form are given up in one line', async () => {
    await work(undefined, { lr: 'fast' });
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/^warning: metrics can no longer be written \(journal\.jsonl: lr: "fast", wanted/);
  });

  test('hold no value that is not finite', async () => {
    await work(undefined, { loss: Number.NaN });
    expect(said).toEqual([]);
    expect(new Set(linesOf(dir).map(({ tag }) => tag))).toEqual(new Set(['warmup/learning_rate', 'warmup/grad_norm']));
  });

  test('are found by no run that did not ask for them', async () => {
    await work();
    writeFileSync(join(dir, 'metrics.jsonl'), 'kept');
    const opened = await Run.open({ dir, settings: {} });
    await (await Metrics.follow(opened)).close();
    await opened.close();
    expect(readFileSync(join(dir, 'metrics.jsonl'), 'utf8')).toBe('kept');
  });
});

describe('the reader of TensorBoard', () => {
  const python = process.env.MSTAR_TENSORBOARD_PYTHON;
  const script = `
import json, os, shutil, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
folder, first, second = sys.argv[1:]
reader = EventAccumulator(folder, size_guidance={'scalars': 0})
shown = []
for source in (first, second):
    for name in os.listdir(source):
        if 'tfevents' in name: shutil.copy(os.path.join(source, name), folder)
    reader.Reload()
    shown.append({tag: [[s.wall_time, s.step, s.value] for s in reader.Scalars(tag)] for tag in reader.Tags()['scalars']})
print(json.dumps(shown))
`;

  test('reads every scalar, and follows from the file of a killed process to the next one without doubling', ({
    skip,
  }) => {
    skip(python === undefined, 'set MSTAR_TENSORBOARD_PYTHON to a Python that has tensorboard');
    const folder = mkdtempSync(join(root, 'logdir-'));
    const { stdout, stderr } = spawnSync(python as string, ['-c', script, folder, run, killed], { encoding: 'utf8' });
    expect(stdout, stderr).not.toBe('');
    const read = JSON.parse(stdout.trim().split('\n').at(-1) as string) as Record<string, number[][]>[];
    for (const [i, dir] of [run, killed].entries()) {
      const lines = linesOf(dir);
      const wanted = [...new Set(lines.map(({ tag }) => tag))].map((tag) => [
        tag,
        lines
          .filter((line) => line.tag === tag)
          .map(({ step, value, wallSeconds }) => [wallSeconds, step, Math.fround(value)]),
      ]);
      expect(read[i]).toEqual(Object.fromEntries(wanted));
    }
  });
});
