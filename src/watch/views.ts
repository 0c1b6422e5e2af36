// What is watched, as sections that are made anew when a run folder has changed: one run, or several over each other. The sections
// are those of the report and of the comparison. A folder is only read.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { note, type Section, section } from '../page/parts.js';
import type { Tables } from '../record/tables.js';
import { describeComparison } from '../views/compare/page.js';
import { dynamics, temperature, training } from '../views/run/course.js';
import { changes } from '../views/run/problems.js';
import { NotARun, type RunData, readRun } from '../views/run/read.js';
import { about, result, time } from '../views/run/result.js';
import { prm, selection } from '../views/run/selection.js';
import { momentOf, now } from './now.js';
import { NO_SAMPLES, samplesSection } from './samples.js';

export interface View {
  readonly folders: readonly string[];
  /** As they are now; those that are expensive may lag behind by some times of what it takes to make them. */
  sections(): Promise<readonly Section[]>;
}

/** Sections of which the first ones are before the samples of the run. */
const BEFORE = [result, dynamics, temperature, training];
const AFTER = [selection, prm, changes, about, time];

/** Share of the time that may be spent on making sections, as its inverse. */
const REST = 10;

/** Makes something from files, again when they have changed, but no more often than every `REST` times of what it takes. */
class Kept<T> {
  readonly #files: readonly string[];
  readonly #make: () => Promise<T>;
  #stamp = '';
  #notBefore = 0;
  #made: { readonly value: T } | undefined;
  #making: Promise<void> | undefined;

  constructor(files: readonly string[], make: () => Promise<T>) {
    this.#files = files;
    this.#make = make;
  }

  async get(): Promise<T> {
    this.#making ??= this.#renew().finally(() => {
      this.#making = undefined;
    });
    await this.#making;
    return (this.#made as { readonly value: T }).value;
  }

  async #renew(): Promise<void> {
    const stamps = await Promise.all(
      this.#files.map(async (file) => {
        const info = await stat(file, { bigint: true }).catch(() => undefined);
        return info ? `${info.size}-${info.mtimeNs}-${info.ino}` : '';
      }),
    );
    const stamp = stamps.join();
    const began = performance.now();
    if (this.#made && (stamp === this.#stamp || began < this.#notBefore)) return;
    this.#made = { value: await this.#make() };
    this.#stamp = stamp;
    const end = performance.now();
    this.#notBefore = end + (end - began) * (REST - 1);
  }
}

const filesOf = (dir: string): string[] =>
  ['config.yaml', 'journal.jsonl', 'timings.json'].map((name) => join(dir, name));

/** One run: where it is, and the sections of its report. */
export class RunView implements View {
  readonly dir: string;
  readonly folders: readonly string[];
  readonly #kept: Kept<{ readonly run?: RunData; readonly sections: readonly Section[] }>;

  constructor(dir: string, tables: Tables) {
    this.dir = dir;
    this.folders = [dir];
    this.#kept = new Kept(filesOf(dir), async () => {
      const run = await runOf(dir);
      if (!run) return { sections: [] };
      const made: (Section | null)[] = [];
      for (const make of BEFORE) made.push(await make(run, tables));
      made.push(samplesSection(NO_SAMPLES));
      for (const make of AFTER) made.push(await make(run, tables));
      return { run, sections: made.filter((one) => one !== null) };
    });
  }

  /** The section `samples` is there, but holds none. */
  async sections(): Promise<readonly Section[]> {
    const { run, sections } = await this.#kept.get();
    return [now(run, await momentOf(this.dir, run)), ...sections];
  }
}

/** Several runs over each other; those that have not begun are left out. */
export class ComparisonView implements View {
  readonly folders: readonly string[];
  readonly #kept: Kept<readonly Section[]>;

  constructor(dirs: readonly string[]) {
    this.folders = dirs;
    this.#kept = new Kept(dirs.flatMap(filesOf), async () => {
      const runs = (await Promise.all(dirs.map(runOf))).filter((run) => run !== undefined);
      if (runs.length === 0) return [section('runs', 'Runs', note('No run has begun yet.'))];
      return describeComparison(runs).sections;
    });
  }

  sections(): Promise<readonly Section[]> {
    return this.#kept.get();
  }
}

/** Undefined where the folder holds nothing yet. */
async function runOf(dir: string): Promise<RunData | undefined> {
  try {
    return await readRun(dir);
  } catch (error) {
    if (error instanceof NotARun && !(await isThere(join(dir, 'config.yaml')))) return undefined;
    throw error;
  }
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** The numbers of a run for programs: its committed results, its seconds, and what it is doing. Throws UserError as `readRun`. */
export async function numbersOf(dir: string): Promise<object> {
  const run = await readRun(dir);
  const { steps: _, commits, configText: __, setting: ___, ...rest } = run;
  return { ...rest, phases: commits.map(({ phase, tokens }) => ({ phase, tokens })), ...(await momentOf(dir, run)) };
}
