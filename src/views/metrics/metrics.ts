// The curves of a run written while it goes on: files made anew from the journal at every start, then added to with
// every event. What lies beyond the cut of the journal goes with the old file, so nothing is doubled and nothing lost.
// A file that cannot be written is given up with a warning; the run goes on.
import { UserError } from '../../core/errors.js';
import type { Run } from '../../run/folder.js';
import type { JournalEvent } from '../../run/journal.js';
import { readEvents } from '../run/read.js';
import { Curves, type Point } from './curves.js';
import type { ReportTo } from './files.js';
import { EVENT_FILE, LINES, type Metric, type MetricFile, openEvents, openLines, readTimes } from './files.js';

export class Metrics {
  readonly #say: (text: string) => void;
  readonly #curves = new Curves();
  #timeOf: (point: Point) => number | undefined = () => undefined;
  #files: MetricFile[] = [];
  #waiting: Metric[] = [];
  /** An event was not understood: those after it would be counted wrongly. */
  #lost = false;
  #writing: Promise<void> = Promise.resolve();

  private constructor(say: (text: string) => void) {
    this.#say = say;
  }

  /** Follows a run that was just opened. Never rejects: a run does not fail because of its metrics. */
  static async follow(run: Run, to: readonly ReportTo[] = []): Promise<Metrics> {
    const metrics = new Metrics((text) => run.progress.say(text));
    if (to.length === 0) return metrics;
    try {
      // A fresh run has nothing in common with what may lie there of another one.
      if (!run.isFresh) metrics.#timeOf = await readTimes(run.dir);
      const past = (await readEvents(run.dir))
        .flatMap((event) => metrics.#curves.add(event))
        .map((point): Metric => ({ ...point, wallSeconds: metrics.#timeOf(point) ?? null }));
      // The lines are always written: the times of an event file that is made anew are found in them.
      await metrics.#open(LINES, () => openLines(run.dir, past));
      if (to.includes('tensorboard')) await metrics.#open(EVENT_FILE, () => openEvents(run.dir, past, now()));
      run.journal.follow((event) => metrics.#add(event));
    } catch (error) {
      await metrics.#giveUp('metrics', error);
    }
    return metrics;
  }

  /** Writes what is waiting and closes the files. */
  async close(): Promise<void> {
    await this.#writing;
    for (const file of this.#files.splice(0)) await file.close().catch(() => {});
  }

  async #open(name: string, open: () => Promise<MetricFile>): Promise<void> {
    try {
      this.#files.push(await open());
    } catch (error) {
      this.#warn(name, error);
    }
  }

  #add(event: JournalEvent): void {
    if (this.#lost || this.#files.length === 0) return;
    let points: Point[];
    try {
      // As it will be read back from the journal: numbers that are not finite do not survive JSON.
      points = this.#curves.add(JSON.parse(JSON.stringify(event)) as JournalEvent);
    } catch (error) {
      this.#lost = true;
      this.#writing = this.#writing.then(() => this.#giveUp('metrics', error));
      return;
    }
    if (points.length === 0) return;
    const seconds = now();
    // Optimizer steps that a savepoint held are told again, though they were done before.
    const metrics = points.map((point): Metric => ({ ...point, wallSeconds: this.#timeOf(point) ?? seconds }));
    this.#waiting.push(...metrics);
    this.#writing = this.#writing.then(() => this.#write());
  }

  async #write(): Promise<void> {
    const metrics = this.#waiting.splice(0);
    if (metrics.length === 0) return;
    for (const file of [...this.#files]) {
      await file.append(metrics).catch((error: unknown) => this.#giveUp(file.name, error, file));
    }
  }

  /** Says so once and writes no more: into one file, or into all. */
  async #giveUp(name: string, error: unknown, file?: MetricFile): Promise<void> {
    const lost = file ? [file] : this.#files;
    this.#files = this.#files.filter((one) => !lost.includes(one));
    for (const one of lost) await one.close().catch(() => {});
    this.#warn(name, error);
  }

  #warn(name: string, error: unknown): void {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = error instanceof UserError ? message : (code ?? message);
    this.#say(`warning: ${name} can no longer be written (${why}); the run goes on without`);
  }
}

function now(): number {
  return Date.now() / 1000;
}
