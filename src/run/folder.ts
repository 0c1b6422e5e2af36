// A run folder: opened by one process, continued where its journal and its checkpoints agree, worked on phase by phase.
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { Stopped, stopIfAsked, UserError } from '../core/errors.js';
import { makeFolder } from '../core/files.js';
import { sum } from '../core/lists.js';
import { faultOf } from './checkpoint.js';
import { listNames, removeDurable, sweepAside, writeDurable } from './durable.js';
import { type Commit, Journal, type JournalEvent, type Json } from './journal.js';
import { LiveDisplay } from './live.js';
import { isClaim, type Lock, lockFolder } from './lock.js';
import { checkOutputFolder } from './output.js';
import { outputFault } from './outputs.js';
import { Phase } from './phase.js';
import { type PlannedWork, Progress } from './progress.js';
import { type Difference, keepSettings, type Why } from './settings.js';
import { type Display, silent } from './terminal.js';
import { Timings } from './timings.js';

export interface RunOptions {
  readonly dir: string;
  /** Everything that decides the bytes of the run, and nothing else. */
  readonly settings: object;
  /** Of settings that differ from those the run was begun with; all matter when left out. */
  readonly why?: Why;
  readonly signal?: AbortSignal;
  readonly display?: Display;
  /** Iteration checkpoints (`iter-*`) to keep; 0 keeps all. */
  readonly keepCheckpoints?: number;
}

export class Run {
  readonly dir: string;
  readonly journal: Journal;
  readonly progress: Progress;
  readonly timings: Timings;
  readonly signal: AbortSignal;
  /** No work of an earlier process is kept here. */
  readonly isFresh: boolean;
  /** Ends the names of units where the work is cut otherwise than when the run was begun, so that units of both cuts are told apart. */
  readonly unitMark: string;
  readonly #lock: Lock;
  readonly #display: LiveDisplay;
  readonly #keep: number;

  private constructor(
    options: RunOptions,
    lock: Lock,
    journal: Journal,
    timings: Timings,
    { isFresh, changed }: { readonly isFresh: boolean; readonly changed: readonly Difference[] },
  ) {
    this.dir = options.dir;
    this.signal = options.signal ?? new AbortController().signal;
    this.#display = new LiveDisplay(options.dir, options.display ?? silent);
    this.progress = new Progress(this.#display);
    this.#keep = options.keepCheckpoints ?? 0;
    this.#lock = lock;
    this.journal = journal;
    this.timings = timings;
    this.isFresh = isFresh;
    const chunk = changed.find(({ key }) => /(^|\.)chunk$/.test(key));
    this.unitMark = chunk ? `-by-${chunk.now}` : '';
    for (const { key, before, now } of changed)
      if (before !== 'not set' && !now.startsWith('"'))
        this.progress.say(`${key} is ${now}, was ${before}: the same bytes`);
  }

  /**
   * Opens a new folder or one that holds a run of the same settings; goes back to the newest commit whose checkpoints
   * verify, saying which it passed over, and removes what lies beyond it.
   * @throws UserError where another process owns it, it holds something else, or settings differ
   */
  static async open(options: RunOptions): Promise<Run> {
    await checkOutputFolder({ flag: 'run folder', path: options.dir });
    await makeFolder(options.dir);
    const lock = await lockFolder(options.dir);
    let journal: Journal | undefined;
    try {
      const names = (await listNames(options.dir)).filter((name) => !isClaim(name));
      if (!names.includes('config.yaml')) {
        const foreign = names.find((name) => !name.startsWith('config.yaml'));
        if (foreign !== undefined) {
          const wanted = 'wanted a new folder or one of a run';
          throw new UserError(`${options.dir}: run folder: holds ${foreign} but no config.yaml, ${wanted}`, 'ERR_RUN');
        }
        // First of all files, so that a start that is cut off here is known as one.
        await keepSettings(options.dir, options.settings, true);
      }
      await refuseLinks(options.dir);
      journal = await Journal.open(join(options.dir, 'journal.jsonl'));
      const isFresh = journal.commits.length === 0 && (await listNames(join(options.dir, 'work'))).length === 0;
      const changed = await keepSettings(options.dir, options.settings, isFresh, options.why);
      if (isFresh) await journal.clear();
      const run = new Run(options, lock, journal, await Timings.open(join(options.dir, 'timings.json')), {
        isFresh,
        changed,
      });
      await run.#rewind();
      await run.#sweep();
      await run.#display.clear();
      return run;
    } catch (error) {
      await journal?.close();
      await lock.release();
      throw error;
    }
  }

  /** Writes the opening event of a new run, or checks that it is the one this run began with. */
  async start(event: JournalEvent): Promise<void> {
    const before = this.journal.start;
    if (!before) return this.journal.open(event);
    for (const [key, value] of Object.entries(event)) {
      if (JSON.stringify(value) === JSON.stringify(before[key])) continue;
      const [now, wanted] = [JSON.stringify(value), JSON.stringify(before[key])];
      throw new UserError(
        `${this.dir}: ${key}: ${now} now, wanted ${wanted} as when the run began (or choose another folder)`,
        'ERR_RUN',
      );
    }
  }

  /**
   * Does the work of a phase once in the life of the folder; later calls give the result it committed.
   * @param work gives plain data, what JSON can hold; the result is that data as read back from the journal
   * @param draws stands for the phase in the names of random draws
   * @throws Stopped where the signal ended it; what its units kept is found again
   */
  async phase<T>(name: string, work: (phase: Phase) => Promise<T>, draws = name): Promise<T> {
    const committed = this.journal.commits.find((commit) => commit.phase === name);
    if (committed) {
      this.progress.finish(name);
      return committed.result as T;
    }
    stopIfAsked(this.signal);
    this.timings.start(name);
    const phase = new Phase(this, name, draws);
    let result: Json;
    try {
      // As it will be read back: undefined fields and numbers that are not finite do not survive JSON.
      result = JSON.parse(JSON.stringify((await work(phase)) ?? null)) as Json;
    } catch (error) {
      await this.timings.save();
      await this.journal.flush();
      throw this.signal.aborted ? new Stopped(this.signal.reason) : error;
    }
    const { tokens, outputs, checkpoint } = phase;
    await this.journal.commit({ event: 'commit', phase: name, result, tokens: { ...tokens }, outputs, checkpoint });
    await removeDurable(phase.work);
    await this.timings.save();
    await this.#prune();
    this.progress.finish(name);
    return result as T;
  }

  /** Sets the whole work of the run for progress; committed phases count as done. */
  plan(work: readonly PlannedWork[]): void {
    this.progress.plan(work);
    for (const { phase } of this.journal.commits) this.progress.finish(phase);
  }

  /** Writes summary.json: what was found, response tokens, and the wall clock of all processes that worked on the run. */
  async summarise<T extends object>(found: T): Promise<T & { readonly tokens: number; readonly seconds: number }> {
    const tokens = sum(this.journal.commits.map((commit) => commit.tokens.sampled));
    const summary = { ...found, tokens, seconds: this.timings.total };
    await writeDurable(join(this.dir, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`);
    return summary;
  }

  /** Path of a committed checkpoint. */
  checkpointPath(name: string): string {
    return join(this.dir, 'checkpoints', name);
  }

  async close(): Promise<void> {
    this.#display.close();
    await this.#display.clear();
    await this.journal.close();
    await this.#lock.release();
  }

  async #rewind(): Promise<void> {
    const { commits } = this.journal;
    const faults = new Map<string, string | undefined>();
    let good = commits.length;
    while (good > 0 && (await this.#faultBefore(commits.slice(0, good), faults)) !== undefined) good--;
    for (const [name, fault] of faults) if (fault) this.progress.say(`passed over ${name}: ${fault}`);
    await this.journal.cut(good);
    if (good < commits.length) this.progress.say(`going back to ${commits[good - 1]?.phase ?? 'the start'}`);
  }

  /** Why the run cannot go on from these commits: the newest checkpoint of each model and every other file are needed. */
  async #faultBefore(commits: readonly Commit[], known: Map<string, string | undefined>): Promise<string | undefined> {
    const needed = new Map<string, string>();
    for (const { checkpoint } of commits) if (checkpoint) needed.set(checkpoint.model, checkpoint.name);
    for (const name of needed.values()) {
      const label = `checkpoints/${name}`;
      if (!known.has(label)) known.set(label, await faultOf(this.checkpointPath(name)));
      if (known.get(label)) return known.get(label);
    }
    for (const [path, mark] of Object.entries(commits.at(-1)?.outputs ?? {})) {
      if (!known.has(path)) known.set(path, await outputFault(join(this.dir, path), mark));
      if (known.get(path)) return known.get(path);
    }
    return undefined;
  }

  /** Removes what no commit names: writes that were cut off, pieces of phases that are done, checkpoints never committed. */
  async #sweep(): Promise<void> {
    const { commits } = this.journal;
    const phases = new Set(commits.map(({ phase }) => phase));
    const checkpoints = new Set(commits.map(({ checkpoint }) => checkpoint?.name));
    const outputs = new Set(commits.flatMap((commit) => Object.keys(commit.outputs)));
    for (const folder of ['', 'checkpoints', 'rollouts', 'work']) await sweepAside(join(this.dir, folder));
    for (const name of await listNames(join(this.dir, 'work'))) {
      if (phases.has(name)) await removeDurable(join(this.dir, 'work', name));
    }
    for (const name of await listNames(join(this.dir, 'checkpoints'))) {
      if (!checkpoints.has(name)) await removeDurable(this.checkpointPath(name));
    }
    for (const name of await listNames(join(this.dir, 'rollouts'))) {
      if (!outputs.has(`rollouts/${name}`)) await removeDurable(join(this.dir, 'rollouts', name));
    }
    await this.#prune();
  }

  async #prune(): Promise<void> {
    if (this.#keep === 0) return;
    const names = this.journal.commits.flatMap(({ checkpoint }) => (checkpoint ? [checkpoint.name] : []));
    const old = names.filter((name) => name.startsWith('iter-')).slice(0, -this.#keep);
    for (const name of old) await removeDurable(this.checkpointPath(name));
  }
}

/** A run deletes in these folders by name: through a link that would be somewhere else. Throws UserError. */
async function refuseLinks(dir: string): Promise<void> {
  for (const name of ['checkpoints', 'rollouts', 'work']) {
    const info = await lstat(join(dir, name)).catch(() => undefined);
    if (info?.isSymbolicLink())
      throw new UserError(
        `${join(dir, name)}: run folder: a link, wanted a folder (the run folder itself may be a link)`,
        'ERR_RUN',
      );
  }
}
