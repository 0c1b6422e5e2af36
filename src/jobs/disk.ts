// How much disk space a whole run takes at most, beside what is free: worked out from its plan, before anything is written.

import { dirname } from 'node:path';
import { GIVEN, resolvePath } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { UserError } from '../core/errors.js';
import { groupBy, sum } from '../core/lists.js';
import { loadProblems } from '../data/problems.js';
import type { Splits } from '../data/splits.js';
import type { Diagnosis } from '../engine/doctor.js';
import { type Item, MOMENT_BYTES } from '../engine/plan.js';
import { planWork } from '../evolve/evolve.js';
import { isIteration } from '../evolve/phases.js';
import { completerAt } from '../evolve/warmup.js';
import type { FindOptions } from '../hub/places.js';
import { freeBytes } from '../run/space.js';
import { findAll, readWritten } from './data.js';

export interface DiskPlan {
  readonly items: readonly Item[];
  readonly total: number;
  /** For this user, on the disk of the run folder. */
  readonly free: number;
  readonly dir: string;
  /** Why the tables are not counted; null where they are. */
  readonly uncounted: string | null;
}

/** Bytes that a table takes for a token of a response: its id, its log-probability and its text, packed; and a piece of unfinished work. */
const TABLE_BYTES = 8;
const PIECE_BYTES = 16;
/** Mean length of a response, as a share of the longest. */
const LENGTH = 0.5;

/**
 * @param model as `diagnose` found it
 * @param options how data of the hub is found
 */
export async function planDisk(config: Config, model: Diagnosis, options: FindOptions = {}): Promise<DiskPlan> {
  const { run, warmup, prm, sampling, evolve } = config;
  const counted = await sizesOf(config, options).catch((error: unknown): string => {
    if (error instanceof UserError) return error.message;
    throw error;
  });
  const isAdapter = config.model.adapter !== undefined;
  const weights = isAdapter ? 4 * model.trained : model.diskBytes;
  // Two moments, and exact copies of weights that files round.
  const isRounded = !isAdapter && model.dtypes.some((dtype) => dtype !== 'F32');
  const checkpoint =
    weights + MOMENT_BYTES[evolve.optimizer.moments] * model.trained + (isRounded ? 4 * model.parameters : 0);
  const parts = typeof counted === 'string' ? [] : planWork(counted, 'evolve');
  const planned = new Set(parts.map(({ phase }) => phase).filter(isIteration)).size;
  const iterations = planned || evolve.iterations || 1;
  // The new one is there before the oldest goes; so it is with savepoints.
  const kept = run.keepCheckpoints > 0 ? Math.min(iterations, run.keepCheckpoints + 1) : iterations;
  const savepoints = run.checkpointEvery > 0 ? 2 : 1;
  const makesPrm = prm.enabled && prm.path === undefined;
  const first = [warmup.enabled, makesPrm && completerAt(config) === 'completer', makesPrm].filter(Boolean).length;
  const tokens = (some: typeof parts): number =>
    sum(some.map(({ kind, count, length = 1 }) => (kind === 'sample' ? count * length : 0))) *
    sampling.maxTokens *
    LENGTH;
  const largest = Math.max(0, ...[...groupBy(parts, ({ phase }) => phase).values()].map(tokens));
  const items = [
    { what: `${kept} checkpoints of iterations`, bytes: kept * checkpoint },
    { what: `${savepoints} inside a training`, bytes: savepoints * checkpoint },
    { what: `${first} before the iterations`, bytes: first * weights },
    // A large table is written in parts that are there until it is whole.
    {
      what: 'tables and pieces of the phase at work',
      bytes: TABLE_BYTES * (tokens(parts) + largest) + PIECE_BYTES * largest,
    },
  ];
  return {
    items,
    total: sum(items.map(({ bytes }) => bytes)),
    free: await freeBytes(run.dir),
    dir: run.dir,
    uncounted: typeof counted === 'string' ? counted : null,
  };
}

/** The run as far as its plan goes: how many problems each part has. Throws UserError where the data cannot be read. */
async function sizesOf(recipe: Config, options: FindOptions) {
  const { config } = await findAll(recipe, options);
  const { data, splits } = config;
  if (data.file === resolvePath(GIVEN)) throw new UserError('the recipe names none');
  const count = async (
    set: Pick<Config['data'], 'file' | 'generate' | 'imageRoot' | 'linkRoot' | 'format' | 'columns'>,
  ) =>
    set.file === undefined
      ? (set.generate?.count ?? 0)
      : (await loadProblems(set.file, { ...set, imageRoot: set.imageRoot ?? dirname(set.file) })).length;
  const problems = await count(data);
  const outOfDomain = data.outOfDomain ? await count(data.outOfDomain) : 0;
  const [test, validation] = [Math.min(splits.test, problems), Math.min(splits.validation, problems)];
  const labelled = Math.min(Math.round(problems * splits.labelled), Math.max(0, problems - test - validation));
  const counts = { labelled, unlabelled: problems - test - validation - labelled, test, validation, outOfDomain };
  const parts = Object.entries(counts).map(([part, length]) => [part, Array.from({ length: Math.max(0, length) })]);
  return { config, data: Object.fromEntries(parts) as Splits, given: await readWritten(config) };
}
