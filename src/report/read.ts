// Reads what a run folder tells about its run: settings, committed results, optimizer steps, seconds. Writes nothing.
// Leaves the rows of rollouts to tables.ts; the journal is the source, as it is there before the run is finished.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { systemFault, UserError } from '../core/errors.js';
import { checked } from '../core/schema.js';
import { readYaml } from '../core/yaml.js';
import { isInside } from '../run/durable.js';
import { journalEvents } from '../run/journal.js';
import * as schema from './schema.js';

export interface PhaseRecord {
  readonly phase: string;
  readonly tokens: schema.Tokens;
}

export interface RunData {
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
  /** Greedy accuracy on the test problems, in the order of the run. */
  readonly tests: readonly schema.Test[];
  /** The same on the out-of-domain problems. */
  readonly away: readonly schema.Test[];
  readonly final: schema.Final | null;
  readonly warmup: schema.Warmup | null;
  readonly labels: schema.Labels | null;
  readonly prm: schema.Prm | null;
  /** The search for a threshold, where there was one. */
  readonly threshold: schema.Threshold | null;
  readonly iterations: readonly schema.Iteration[];
  readonly dynamics: readonly schema.Standing[];
  /** Optimizer steps by phase, those of an unfinished phase included. */
  readonly steps: ReadonlyMap<string, readonly schema.Step[]>;
  /** Problems that could not be sampled. */
  readonly failures: readonly schema.Failure[];
  /** Committed phases in order. */
  readonly phases: readonly PhaseRecord[];
  /** Phases that were begun and are not committed. */
  readonly open: readonly string[];
  /** Wall-clock seconds by phase. */
  readonly seconds: Readonly<Record<string, number>>;
}

/** @throws UserError where the folder holds no run of the loop, or a file of it is damaged */
export async function readRun(dir: string): Promise<RunData> {
  const configFile = join(dir, 'config.yaml');
  const configText = await readText(configFile);
  if (configText === undefined) throw new UserError(`${dir}: run: no config.yaml, wanted the folder of a run`);
  const config = settingsOf(configFile, configText);
  const verb = valueAt(config, 'verb');
  if (verb !== undefined) throw new UserError(`${dir}: run: ${otherVerb(dir, String(verb))}`);
  const journal = join(dir, 'journal.jsonl');
  const events = await readEvents(dir);
  const commits = events
    .filter(({ event }) => event === 'commit')
    .map((event) => checked(schema.commit, event, journal));
  const read = <T>(shape: Parameters<typeof checked<T>>[0], matches: (phase: string) => boolean): T[] =>
    commits
      .filter(({ phase }) => matches(phase))
      .map(({ phase, result }) => checked(shape, result, `${journal}: ${phase}`));
  const one = <T>(shape: Parameters<typeof checked<T>>[0], name: string): T | null =>
    read(shape, (phase) => phase === name)[0] ?? null;
  const steps = new Map<string, schema.Step[]>();
  for (const event of events) {
    if (event.event !== 'step') continue;
    const step = checked(schema.step, event, journal);
    const known = steps.get(step.phase);
    if (known) known.push(step);
    else steps.set(step.phase, [step]);
  }
  const started = events.find(({ event }) => event === 'start');
  const start = started && checked(schema.start, started, journal);
  const seconds = await readSeconds(join(dir, 'timings.json'));
  const done = new Set(commits.map(({ phase }) => phase));
  return {
    dir,
    name: basename(resolve(dir)),
    configText,
    configDigest: createHash('sha256').update(configText).digest('hex'),
    problemsDigest: start?.problems ?? null,
    setting: (name) => valueAt(config, name),
    tests: read(schema.test, (phase) => phase.startsWith('test-') && phase !== 'test-final'),
    away: read(schema.test, (phase) => phase.startsWith('away-')),
    final: one(schema.final, 'test-final'),
    warmup: one(schema.warmup, 'warmup'),
    labels: one(schema.labels, 'label'),
    prm: one(schema.prm, 'train-prm'),
    threshold: one(schema.threshold, 'search-alpha'),
    iterations: read(schema.iteration, (phase) => phase.startsWith('iter-')),
    dynamics: read(schema.standing, (phase) => phase.startsWith('dynamics-')),
    steps,
    failures: events.filter(({ event }) => event === 'failed').map((event) => checked(schema.failure, event, journal)),
    phases: commits.map(({ phase, tokens }) => ({ phase, tokens })),
    open: [...new Set([...Object.keys(seconds), ...steps.keys()])].filter((phase) => !done.has(phase)),
    seconds,
  };
}

/** The events of a run's journal, read as the run itself reads them. Throws UserError for a damaged line amid finished phases. */
export async function readEvents(dir: string): Promise<{ readonly event: string }[]> {
  const journal = join(dir, 'journal.jsonl');
  const text = Buffer.from((await readText(journal)) ?? '');
  return Array.from(journalEvents(journal, text), ({ event }) => event);
}

/**
 * Path of a file of the run; undefined where it is not there, for example deleted to save space.
 * @throws UserError where a name from the journal leads out of the folder
 */
export function fileOf({ dir }: Pick<RunData, 'dir'>, path: string): string | undefined {
  if (!isInside(path))
    throw new UserError(
      `${join(dir, 'journal.jsonl')}: file: ${JSON.stringify(path)}, wanted a path inside the run folder`,
    );
  const full = join(dir, path);
  return existsSync(full) ? full : undefined;
}

/** `0003` of iteration 3, as it stands in names of phases and files. */
export function padded(iteration: number): string {
  return String(iteration).padStart(4, '0');
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

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new UserError(`${path}: file: ${systemFault(error) ?? code}, wanted a readable file`);
  }
}

function settingsOf(path: string, text: string): object {
  const value = readYaml(text, path);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new UserError(`${path}: settings: not a mapping, wanted settings by group`);
}

function valueAt(config: object, name: string): unknown {
  return name
    .split('.')
    .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined | null)?.[key], config);
}

/** Times are for show: a damaged file counts as none. */
async function readSeconds(path: string): Promise<Record<string, number>> {
  try {
    const value = JSON.parse((await readText(path)) ?? '{}') as Record<string, unknown>;
    const numbers = Object.entries(value).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
    return Object.fromEntries(numbers);
  } catch {
    return {};
  }
}
