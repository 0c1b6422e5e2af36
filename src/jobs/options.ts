// What a program hands to a job beside its settings, and what a run keeps of it.
import { createHash } from 'node:crypto';
import { GIVEN } from '../config/load.js';
import { UserError } from '../core/errors.js';
import type { ModelHost } from '../core/ports.js';
import type { RewardFunction, RolloutStats } from '../core/types.js';
import type { ProblemSource } from '../data/given.js';
import { createHost, type HostOptions } from '../engine/host.js';
import type { Custom, SelectFunction } from '../evolve/custom.js';
import type { PhaseHooks } from '../evolve/evolve.js';
import type { Stage } from '../evolve/recipe.js';
import type { Display } from '../run/terminal.js';
import type { ReportTo } from '../views/metrics/files.js';

/** What every job takes besides its settings. */
export interface JobOptions {
  /** Stops the job at the next safe point; it rejects with `Stopped`, and the same call goes on from there. */
  readonly signal?: AbortSignal;
  /** Where progress is shown; nowhere when left out. */
  readonly display?: Display;
  /** Told what each rollout call of the native engine computed. */
  readonly onRollout?: (stats: RolloutStats) => void;
  /** Opens the models, or makes what does from the settings of the job; the native engine in this process when left out. */
  readonly host?: ModelHost | OpenHost;
}

export type OpenHost = (options: HostOptions) => Promise<ModelHost>;

/** What opens the models of a job. */
export async function hostOf({ host = async (made) => createHost(made), onRollout }: JobOptions, options: HostOptions) {
  return typeof host === 'function' ? host({ ...options, onRollout }) : host;
}

/** What a job that samples takes besides. */
export interface SampleOptions extends JobOptions {
  /**
   * Judges the responses in place of the grader, wherever the job judges one. It must judge the same response alike: a job
   * that goes on keeps the verdicts it has. What it throws ends the job with a `UserError` that names the problem.
   */
  readonly reward?: RewardFunction;
  /**
   * Names what `reward` and `select` do. The run keeps it and goes on only where the same is given; their names and source
   * texts stand for them when it is left out, which tell nothing of what they call.
   */
  readonly identity?: string;
  /** The problems, in place of a data set; a job that goes on must be given the same ones. All are held, pictures as they are given. */
  readonly problems?: ProblemSource;
}

/** What a job of the recipe takes besides. */
export interface RecipeOptions extends SampleOptions {
  /** The last stage to do; each includes those before it. The whole recipe when left out. */
  readonly until?: Stage;
  /** Where the curves of the run are written while it goes on: files in its folder (docs/metrics.md). */
  readonly reportTo?: readonly ReportTo[];
  /** Run folder whose phases before the first iteration a new run begins with, as far as its settings would make the same. */
  readonly from?: string;
  /** Chooses the training examples of the iterations, in place of the rule of `evolve.select`. */
  readonly select?: SelectFunction;
  readonly hooks?: PhaseHooks;
}

/**
 * What a run keeps of a program's own functions: which there are, and what tells them from others; undefined where the program
 * gave none.
 * @throws UserError where nothing tells a function from others
 */
export function keptFunctions(
  { reward, select }: Custom,
  identity: string | undefined,
): { readonly [name in keyof Custom]?: string } | undefined {
  if (!reward && !select) return undefined;
  return {
    ...(reward && { reward: identity ?? fingerprint('reward', reward) }),
    ...(select && { select: identity ?? fingerprint('select', select) }),
  };
}

function fingerprint(option: string, call: RewardFunction | SelectFunction): string {
  const source = String(call);
  if (/\[native code\]\s*\}$/.test(source))
    throw new UserError(
      `${option}: a function without source text, wanted identity beside it, a name of what it does`,
      'ERR_SETTING',
    );
  return `${call.name || 'function'} ${createHash('sha256').update(source).digest('hex').slice(0, 16)}`;
}

/** Settings whose data set may be left out, where problems are given. */
export type WithoutData<T> = Omit<T, 'data'> & Partial<Pick<T & { data: unknown }, 'data'>>;

/** The settings of a job with a name for the problems that were given. @throws UserError where both are there */
export function withGiven<T>(settings: WithoutData<T>, { problems }: SampleOptions): T {
  if (problems === undefined) return settings as T;
  if (settings.data !== undefined)
    throw new UserError('data: given beside problems, wanted one of them', 'ERR_SETTING');
  return { ...settings, data: GIVEN } as T;
}
