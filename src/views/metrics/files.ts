// The two files of metrics in a run folder: metrics.jsonl, which also keeps the times, and the event file of
// TensorBoard.
import { type FileHandle, open, readdir, readFile, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { writeDurable } from '../../run/durable.js';
import type { Point } from './curves.js';
import { eventFile, eventRecord } from './tensorboard.js';

/** A point and when it was first seen, in seconds since 1970; null where no process was watching. */
export interface Metric extends Point {
  readonly wallSeconds: number | null;
}

export const LINES = 'metrics.jsonl';
/** What the event file is called in a sentence. */
export const EVENT_FILE = 'the TensorBoard event file';
const EVENTS = /^events\.out\.tfevents\.(\d+)\.mstar$/;

/** Takes metrics at its end. */
export interface MetricFile {
  readonly name: string;
  append(metrics: readonly Metric[]): Promise<void>;
  close(): Promise<void>;
}

/** Makes metrics.jsonl anew with these metrics. */
export async function openLines(dir: string, metrics: readonly Metric[]): Promise<MetricFile> {
  const path = join(dir, LINES);
  // In one rename: the times of the file before are nowhere else.
  await writeDurable(path, linesOf(metrics));
  return fileAt(LINES, await open(path, 'a'), (more) => Buffer.from(linesOf(more)));
}

/**
 * Makes a new event file with these metrics, as `writeEvents`, to be added to.
 * @param seconds now, and the time of metrics whose time is not known
 */
export async function openEvents(dir: string, metrics: readonly Metric[], seconds: number): Promise<MetricFile> {
  const path = await writeEvents(dir, metrics, seconds);
  const timed = (metric: Metric) => ({ ...metric, wallSeconds: metric.wallSeconds ?? seconds });
  const bytesOf = (more: readonly Metric[]) => Buffer.concat(more.map((metric) => eventRecord(timed(metric))));
  return fileAt(EVENT_FILE, await open(path, 'a'), bytesOf);
}

/**
 * Writes one event file into a folder in place of the one that mstar wrote there before. Its name is later, so that a
 * TensorBoard that follows the folder goes on to it; the one before is left there empty until the next time, as a reader
 * whose file is gone does not go on.
 * @param seconds at which the file is said to begin, and the time of metrics whose time is not known
 * @returns its path
 */
export async function writeEvents(dir: string, metrics: readonly Metric[], seconds: number): Promise<string> {
  const before = (await readdir(dir)).filter((name) => EVENTS.test(name));
  const newest = Math.max(0, ...before.map((name) => Number(EVENTS.exec(name)?.[1])));
  const number = String(Math.max(Math.floor(seconds), newest + 1)).padStart(10, '0');
  const path = join(dir, `events.out.tfevents.${number}.mstar`);
  const timed = metrics.map((metric) => ({ ...metric, wallSeconds: metric.wallSeconds ?? seconds }));
  const handle = await open(path, 'w');
  try {
    await handle.writeFile(eventFile(timed, seconds));
  } finally {
    await handle.close();
  }
  for (const name of before) {
    const old = join(dir, name);
    if ((await stat(old)).size === 0) await rm(old);
    else await truncate(old);
  }
  return path;
}

/**
 * Looks up in metrics.jsonl of a folder when a point of this value was first seen. A file that is missing or damaged costs
 * times, never a metric.
 */
export async function readTimes(dir: string): Promise<(point: Point) => number | undefined> {
  const times = new Map<string, number>();
  const text = await readFile(join(dir, LINES), 'utf8').catch(() => '');
  for (const line of text.split('\n')) {
    try {
      const { step, tag, value, wallSeconds } = JSON.parse(line) as Metric;
      if (typeof wallSeconds === 'number') times.set(keyOf({ step, tag, value }), wallSeconds);
    } catch {}
  }
  return (point) => times.get(keyOf(point));
}

function keyOf({ step, tag, value }: Pick<Metric, 'step' | 'tag' | 'value'>): string {
  return `${tag}\n${step}\n${value}`;
}

function linesOf(metrics: readonly Metric[]): string {
  return metrics
    .map(({ step, tag, value, phase, wallSeconds }) => `${JSON.stringify({ step, tag, value, phase, wallSeconds })}\n`)
    .join('');
}

function fileAt(name: string, handle: FileHandle, bytesOf: (metrics: readonly Metric[]) => Uint8Array): MetricFile {
  return {
    name,
    append: (metrics) => handle.appendFile(bytesOf(metrics)),
    close: () => handle.close(),
  };
}

/** `jsonl`: metrics.jsonl; `tensorboard`: an event file beside it. */
export const REPORT_TO = ['tensorboard', 'jsonl'] as const;
/** A form in which the curves of a run are written while it goes on. */
export type ReportTo = (typeof REPORT_TO)[number];
