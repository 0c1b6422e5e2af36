// Metrics of a run while it goes on: the points of its curves, appended to a TensorBoard event file or to JSON lines as the journal
// grows. The files hold the clock and are no part of the run: they are made anew at every start, and what goes wrong with them is
// said once and never ends the run. Leaves the curves to curves.ts.
import { appendFile, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { listNames } from '../run/durable.js';
import { curvesOf, type Scalar } from './curves.js';
import { readRun } from './read.js';
import { eventHead, eventRecords } from './tensorboard.js';

export const REPORTERS = ['tensorboard', 'jsonl'] as const;
export type Reporter = (typeof REPORTERS)[number];

export interface LiveOptions {
  readonly dir: string;
  readonly to: readonly Reporter[];
  readonly say: (text: string) => void;
  /** Seconds between two looks at the journal. */
  readonly everyS?: number;
  /** Seconds since 1970. */
  readonly clock?: () => number;
}

/** Folder of the event file in a run folder; TensorBoard names a run after it. */
const EVENTS = 'metrics';
const LINES = 'metrics.jsonl';
const EVENT_FILE = /^events\.out\.tfevents\..*\.mstar$/;
const EVERY_S = 5;

export class LiveMetrics {
  readonly #options: Required<LiveOptions>;
  readonly #written = new Set<string>();
  #events = '';
  #begun = false;
  #broken = false;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #work: Promise<void> = Promise.resolve();

  constructor(options: LiveOptions) {
    this.#options = { everyS: EVERY_S, clock: () => Date.now() / 1000, ...options };
  }

  /** Looks at the journal, unless it did so a moment ago. */
  update(): Promise<void> {
    const { everyS, clock } = this.#options;
    if (clock() - this.#lookedAt < everyS) return this.#work;
    return this.flush();
  }

  /** Writes every point that the journal has and the files do not. */
  flush(): Promise<void> {
    this.#lookedAt = this.#options.clock();
    this.#work = this.#work.then(() => this.#append()).catch((error: Error) => this.#fail(error));
    return this.#work;
  }

  async #append(): Promise<void> {
    if (this.#broken) return;
    const { dir, to, clock } = this.#options;
    const fresh = !this.#begun;
    if (fresh) await this.#begin();
    const scalars = curvesOf(await readRun(dir)).filter((scalar) => !this.#written.has(keyOf(scalar)));
    if (scalars.length === 0) return;
    // When the points of an earlier process came is not known; the journal is as old as the last of them.
    const seconds = fresh ? Math.min(clock(), (await stat(join(dir, 'journal.jsonl'))).mtimeMs / 1000) : clock();
    if (to.includes('tensorboard')) await appendFile(this.#events, eventRecords(scalars, seconds));
    if (to.includes('jsonl')) {
      const lines = scalars.map(
        (scalar) => `${JSON.stringify({ ...scalar, time: Math.round(seconds * 1000) / 1000 })}\n`,
      );
      await appendFile(join(dir, LINES), lines.join(''));
    }
    for (const scalar of scalars) this.#written.add(keyOf(scalar));
  }

  async #begin(): Promise<void> {
    const { dir, to, clock } = this.#options;
    this.#begun = true;
    if (to.includes('tensorboard')) {
      const folder = join(dir, EVENTS);
      await mkdir(folder, { recursive: true });
      for (const name of await listNames(folder)) if (EVENT_FILE.test(name)) await rm(join(folder, name));
      this.#events = join(folder, `events.out.tfevents.${Math.floor(clock())}.mstar`);
      await writeFile(this.#events, eventHead(clock()));
    }
    if (to.includes('jsonl')) await writeFile(join(dir, LINES), '');
  }

  #fail(error: Error): void {
    if (!this.#broken) this.#options.say(`warning: no more metrics: ${error.message.split('\n')[0]}`);
    this.#broken = true;
  }
}

function keyOf({ tag, step }: Scalar): string {
  return `${tag}\0${step}`;
}
