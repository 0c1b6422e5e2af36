// What a phase of a run works with: pieces of work that a restart does not repeat, and events, files and a checkpoint that
// count once the phase is committed.
import { join } from 'node:path';
import { stopIfAsked } from '../core/errors.js';
import { commitCheckpoint } from './checkpoint.js';
import { putDurable } from './durable.js';
import type { Run } from './folder.js';
import type { CheckpointModel, Json, OutputMark, TokenCounts } from './journal.js';
import { markOf } from './outputs.js';
import type { Meter, WorkKind } from './progress.js';
import { keepUnit, readUnit } from './units.js';

/** How a list is cut into units. */
export interface Cut {
  /** Names the units in their phase. */
  readonly name: string;
  /** Items in a unit: part of the run's settings, as it decides what is computed together. */
  readonly size: number;
  /** Units under way at once; 1 when left out. */
  readonly atOnce?: number;
}

/** Pieces that may be open, done or not, for each that is under way beside the oldest. */
const AHEAD = 3;

export class Phase {
  readonly name: string;
  /** Stands for the phase in the names of random draws. */
  readonly draws: string;
  /** Folder for pieces of unfinished work; it goes when the phase is committed. */
  readonly work: string;
  readonly #run: Run;
  readonly #outputs: Record<string, OutputMark> = {};
  readonly #tokens: { -readonly [kind in keyof TokenCounts]: number } = { sampled: 0, scored: 0, trained: 0 };
  #settled: Promise<void> = Promise.resolve();
  #checkpoint: { readonly name: string; readonly model: CheckpointModel } | null = null;

  constructor(run: Run, name: string, draws: string) {
    this.#run = run;
    this.name = name;
    this.draws = draws;
    this.work = join(run.dir, 'work', name.replaceAll('/', '_'));
  }

  get signal(): AbortSignal {
    return this.#run.signal;
  }

  /** Of the run. */
  get folder(): string {
    return this.#run.dir;
  }

  get outputs(): Readonly<Record<string, OutputMark>> {
    return this.#outputs;
  }

  get checkpoint(): { readonly name: string; readonly model: CheckpointModel } | null {
    return this.#checkpoint;
  }

  /** Tokens that the phase worked through, whichever process did it. */
  get tokens(): TokenCounts {
    return this.#tokens;
  }

  count(kind: keyof TokenCounts, tokens: number): void {
    this.#tokens[kind] += tokens;
  }

  /** Progress of one part of the phase's work. */
  meter(kind: WorkKind, title: string, part?: string): Meter {
    return this.#run.progress.meter(this.name, kind, title, part);
  }

  say(text: string): void {
    this.#run.progress.say(text);
  }

  /**
   * One piece of the phase's work: found where an earlier process finished it, else made and kept.
   * @param name unique in the phase, a file name
   * @param make gives plain objects, arrays and typed arrays, the same at every call
   */
  async unit<T>(name: string, make: () => Promise<T>): Promise<{ readonly value: T; readonly found: boolean }> {
    stopIfAsked(this.signal);
    const path = join(this.work, `${name}${this.#run.unitMark}.unit`);
    const kept = await readUnit<T>(path);
    if (kept) return { value: kept.value, found: true };
    const value = await make();
    await keepUnit(path, value);
    await this.settle();
    return { value, found: false };
  }

  /**
   * Pieces of work over a list, `size` items each, in the order of the list. With `atOnce` pieces under way a later one may
   * be done before an earlier one; it waits for its turn, and while not too many do the next is begun in its place: a slow
   * piece holds up nobody else.
   */
  async *units<I, T>(
    items: readonly I[],
    { name, size, atOnce = 1 }: Cut,
    make: (some: readonly I[]) => Promise<T>,
  ): AsyncGenerator<{ readonly items: readonly I[]; readonly value: T; readonly found: boolean }> {
    const open: { readonly some: readonly I[]; readonly unit: ReturnType<Phase['unit']> }[] = [];
    const mostOpen = 1 + AHEAD * (atOnce - 1);
    let from = 0;
    let running = 0;
    const begin = (): void => {
      for (; from < items.length && running < atOnce && open.length < mostOpen; from += size) {
        const some = items.slice(from, from + size);
        const unit = this.unit(`${name}-${String(from / size).padStart(5, '0')}`, () => make(some));
        open.push({ some, unit });
        running++;
        const end = (): void => {
          running--;
          begin();
        };
        // A failure is thrown below, when its turn comes; nothing is begun after it.
        unit.then(end, () => {
          from = items.length;
        });
      }
    };
    try {
      for (;;) {
        begin();
        const [oldest] = open;
        if (!oldest) return;
        const { value, found } = await oldest.unit;
        yield { items: oldest.some, value: value as T, found };
        open.shift();
      }
    } finally {
      from = items.length;
      await Promise.allSettled(open.map(({ unit }) => unit));
    }
  }

  /** Adds an event of this phase to the journal. */
  record(event: string, fields: Readonly<Record<string, Json | undefined>>): void {
    this.#run.journal.append({ event, phase: this.name, ...fields });
  }

  /** Lets readers see the events and the time so far; one call after the other, as units may end at the same time. */
  settle(): Promise<void> {
    this.#settled = this.#settled.then(async () => {
      await this.#run.journal.flush();
      await this.#run.timings.save();
    });
    return this.#settled;
  }

  /** Makes a file of the run folder; `write` fills the file it is given. */
  async output(path: string, write: (aside: string) => Promise<void>): Promise<void> {
    const full = join(this.#run.dir, path);
    await putDurable(full, write);
    this.#outputs[path] = await markOf(full);
  }

  /** Makes the checkpoint of this phase; call it when the long work is done: a run killed after it repeats the phase. */
  async save(name: string, model: CheckpointModel, save: (dir: string) => Promise<void>): Promise<void> {
    await this.settle();
    await commitCheckpoint(this.#run.checkpointPath(name), { phase: this.name, model }, save);
    this.#checkpoint = { name, model };
  }
}
