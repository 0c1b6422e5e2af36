// Reads what a run folder tells about its run: settings, committed results, optimizer steps, seconds. Writes nothing.
// The journal is the source, as it is there before the run is finished.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { z } from 'zod';
import { UserError } from '../../core/errors.js';
import { textIfThere } from '../../core/files.js';
import { valueAt } from '../../core/json.js';
import { groupBy } from '../../core/lists.js';
import { refuseEarlierRun } from '../../core/renamed.js';
import { checked } from '../../core/schema.js';
import { isIteration, kindOf, titleOf } from '../../evolve/phases.js';
import { type RunResults, readResults } from '../../evolve/summary.js';
import * as results from '../../record/results.js';
import { isInside } from '../../run/durable.js';
import { journalEvents } from '../../run/journal.js';
import { readSettings } from '../../run/settings.js';
import { readTimings } from '../../run/timings.js';

export interface RunData extends RunResults {
  readonly dir: string;
  readonly name: string;
  /** config.yaml as it stands in the folder. */
  readonly configText: string;
  /** SHA-256 of config.yaml, in hex. */
  readonly configDigest: string;
  /** What the run recorded of its problems; null where it recorded nothing yet. */
  readonly problemsDigest: string | null;
  /** A setting by its dotted name; undefined where it is not set. */
  setting(name: string): unknown;
  /** Optimizer steps by phase, those of an unfinished phase included. */
  readonly steps: ReadonlyMap<string, readonly results.StepEvent[]>;
  /** Problems that could not be sampled. */
  readonly failures: readonly results.FailedEvent[];
  /** Committed phases in order. */
  readonly commits: readonly results.CommitEvent[];
  /** Phases that were begun and are not committed. */
  readonly open: readonly string[];
  /** Wall-clock seconds by phase. */
  readonly seconds: Readonly<Record<string, number>>;
}

/** The folder holds something else than a run of the loop. */
export class NotARun extends UserError {}

/** @throws UserError where the folder holds no run of the loop, an earlier version made it, or a file of it is damaged */
export async function readRun(dir: string): Promise<RunData> {
  const kept = await readSettings(dir);
  if (kept === undefined) throw new NotARun(`${dir}: run: no config.yaml, wanted the folder of a run`);
  const { text: configText, values: config } = kept;
  const { verb } = config;
  if (verb !== undefined) throw new NotARun(`${dir}: run: ${otherVerb(dir, String(verb))}`);
  refuseEarlierRun(dir, config);
  const journal = join(dir, 'journal.jsonl');
  const events = await readEvents(dir);
  const told = <E>(name: string, shape: z.ZodType<E>): E[] =>
    events.filter(({ event }) => event === name).map((event) => checked(shape, event, journal));
  const commits = told('commit', results.commitEvent);
  const steps = groupBy(told('step', results.stepEvent), ({ phase }) => phase);
  const seconds = await readTimings(join(dir, 'timings.json'));
  const done = new Set(commits.map(({ phase }) => phase));
  return {
    dir,
    name: basename(resolve(dir)),
    configText,
    configDigest: createHash('sha256').update(configText).digest('hex'),
    problemsDigest: told('start', results.startEvent)[0]?.problems ?? null,
    setting: (name) => valueAt(config, name.split('.')),
    ...readResults(commits, journal),
    steps,
    failures: told('failed', results.failedEvent),
    commits,
    open: [...new Set([...Object.keys(seconds), ...steps.keys()])].filter((phase) => !done.has(phase)),
    seconds,
  };
}

/** The events of a run's journal, read as the run itself reads them. Throws UserError for a damaged line amid finished phases. */
export async function readEvents(dir: string): Promise<{ readonly event: string }[]> {
  const journal = join(dir, 'journal.jsonl');
  const text = Buffer.from((await textIfThere(journal)) ?? '');
  return Array.from(journalEvents(journal, text), ({ event }) => event);
}

/**
 * Path of a file of the run; undefined where it is not there, for example deleted to save space.
 * @throws UserError where a name from the journal leads out of the folder
 */
export function fileOf(dir: string, path: string): string | undefined {
  if (!isInside(path))
    throw new UserError(
      `${join(dir, 'journal.jsonl')}: file: ${JSON.stringify(path)}, wanted a path inside the run folder`,
    );
  const full = join(dir, path);
  return existsSync(full) ? full : undefined;
}

/** Path of a table of rollouts of a run; undefined where it is not there. */
export function tableOf(dir: string, name: string): string | undefined {
  return fileOf(dir, `rollouts/${name}.parquet`);
}

/** A checkpoint on an axis: `base`, `warm-up`, `1`, `2`... */
export function shortName(checkpoint: string): string {
  if (checkpoint === 'base') return 'base';
  return isIteration(checkpoint) ? String(Number(kindOf(checkpoint)?.about)) : titleOf(checkpoint);
}

/** A measurement on an axis: the start is what the first iteration begins with. */
export function startOrNumber(iteration: number): string {
  return iteration === 0 ? 'start' : String(iteration);
}

/** What to do with a folder of `mstar evaluate` or `mstar rollout` instead. */
function otherVerb(dir: string, verb: string): string {
  const has = (name: string): boolean => existsSync(join(dir, name));
  const made = `made by mstar ${verb}, wanted the folder of mstar evolve`;
  if (has('evaluation.html')) return `${made}; its tables are in ${join(dir, 'evaluation.html')}`;
  if (has('rollouts.parquet') || has('greedy.parquet'))
    return `${made}; mstar evaluate --rollouts ${dir} --out DIR makes its tables, mstar rollouts ${dir} SQL asks its responses`;
  return has('summary.json')
    ? `${made}; its results are in ${join(dir, 'summary.json')}`
    : `${made}; it is not finished`;
}
