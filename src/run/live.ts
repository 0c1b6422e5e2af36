// progress.json: what the process that works on a run is doing at the moment, for those who look at the folder from outside. It is
// written anew every two seconds while there is progress, and goes when the process leaves the folder; nothing reads it to go on.
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ASIDE } from '../core/files.js';
import type { Display } from './terminal.js';

const FILE = 'progress.json';
const EVERY_MS = 2000;

const live = z.object({
  /** When it was written: seconds since 1970. */
  at: z.number(),
  title: z.string(),
  done: z.number(),
  total: z.number(),
  /** Share of the whole job, 0..1. */
  fraction: z.number(),
  /** Null before any speed is known. */
  secondsLeft: z.number().nullable(),
  tokensPerSecond: z.number().nullable(),
  /** Resident memory of the process that leads the work. */
  residentBytes: z.number(),
  /** A line for each rank; none of a process alone. */
  ranks: z.array(z.string()),
});
export type Live = Readonly<z.output<typeof live>>;

/** A display that also writes what it is shown into the run folder. A file that cannot be written costs the run nothing. */
export class LiveDisplay implements Display {
  readonly #path: string;
  readonly #display: Display;
  #writing: Promise<void> = Promise.resolve();
  #wroteAt = Number.NEGATIVE_INFINITY;

  constructor(dir: string, display: Display) {
    this.#path = join(dir, FILE);
    this.#display = display;
  }

  get ranks(): Display['ranks'] {
    return this.#display.ranks;
  }

  show(moment: Parameters<Display['show']>[0]): void {
    this.#display.show(moment);
    const now = performance.now();
    if (now - this.#wroteAt < EVERY_MS) return;
    this.#wroteAt = now;
    const { title, done, total, fraction, secondsLeft = null, tokensPerSecond = null } = moment;
    const told: Live = {
      at: Date.now() / 1000,
      ...{ title, done, total, fraction, secondsLeft, tokensPerSecond },
      residentBytes: process.memoryUsage.rss(),
      ranks: this.ranks?.lines() ?? [],
    };
    this.#writing = this.#writing.then(() => this.#write(JSON.stringify(told)));
  }

  say(text: string): void {
    this.#display.say(text);
  }

  close(): void {
    this.#display.close();
  }

  /** Takes the file away: what an earlier process left, and what this one wrote. */
  async clear(): Promise<void> {
    await this.#writing;
    await rm(this.#path, { force: true }).catch(() => {});
  }

  /** Not flushed to the disk: after a crash of the machine it tells nothing. */
  async #write(text: string): Promise<void> {
    try {
      await writeFile(this.#path + ASIDE, text);
      await rename(this.#path + ASIDE, this.#path);
    } catch {
      await rm(this.#path + ASIDE, { force: true }).catch(() => {});
    }
  }
}

/** What the process at work told last; undefined where none is at work or the file says nothing that makes sense. */
export async function readLive(dir: string): Promise<Live | undefined> {
  try {
    return live.parse(JSON.parse(await readFile(join(dir, FILE), 'utf8')));
  } catch {
    return undefined;
  }
}
