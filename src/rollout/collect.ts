// Rolls out any number of problems chunk by chunk: sampled, graded, scored where asked, kept as units of the phase.

import { stopIfAsked, UserError } from '../core/errors.js';
import { groupBy, sum } from '../core/lists.js';
import { callsAtOnce, type Policy, type Scorer } from '../core/ports.js';
import type { Example, Problem, PromptVariant, Sampling } from '../core/types.js';
import { countTokens, type RatedResponse, type Rollout } from '../record/rollout.js';
import { type RowContext, type RowGroup, writeRolloutTable } from '../record/table.js';
import { type Aggregation, aggregate } from '../reward/aggregate.js';
import type { Grader } from '../reward/custom.js';
import type { Cut, Phase } from '../run/phase.js';
import { generate, type Watch } from './generate.js';

/** Failed problems that are named on the screen; the journal has all. */
const MOST_SAID = 5;

/** What a run samples alike everywhere. */
export interface SampleSettings {
  readonly seed: number;
  /** Problems per rollout call. */
  readonly chunk: number;
  /** Text that ends a step. */
  readonly delimiter: string;
  readonly maxTokens: number;
  readonly topK: number;
  readonly topP: number;
  /** Judges the responses; by their final answers when left out. */
  readonly grader?: Grader | undefined;
}

/** One pass over problems. */
export interface Collection {
  /** Names units and draws; unique in its phase. */
  readonly name: string;
  readonly title: string;
  readonly problems: readonly Problem[];
  readonly variant: PromptVariant;
  /** Responses per problem. */
  readonly n: number;
  /** 0 is greedy. */
  readonly temperature: number;
  /** Whether log-probabilities are kept at this temperature instead of at 1. */
  readonly scaledLogprobs?: boolean;
  readonly reward?: {
    readonly scorer: Scorer;
    readonly aggregate: Aggregation;
    /** Responses to score. */
    readonly wanted: (response: RatedResponse) => boolean;
  };
}

/** Yields the rollouts of each chunk; problems that fail are recorded and said. */
export async function* collect(
  phase: Phase,
  policy: Policy,
  collection: Collection,
  settings: SampleSettings,
): AsyncGenerator<readonly Rollout[]> {
  const { name, title, problems, n, reward } = collection;
  const { signal } = phase;
  const sampled = phase.meter('sample', `${title}: sampling`, name);
  sampled.expect(problems.length * n);
  const scored = reward && phase.meter('score', `${title}: scoring`, name);
  const { temperature, variant, scaledLogprobs } = collection;
  const { seed, delimiter, maxTokens, topK, topP, grader } = settings;
  const sampling: Sampling = { temperature, topK, topP, maxTokens, scaledLogprobs };
  const draw = { variant, n, sampling, seed, purpose: `${phase.draws}/${name}`, delimiter, grader };
  const make = async (chunk: readonly Problem[]): Promise<Rollout[]> => {
    const rollouts = await generate(policy, chunk, draw, { signal, meter: sampled });
    if (!reward || !scored) return rollouts;
    return scoreRollouts(reward, rollouts, policy.tokenizer, { signal, meter: scored });
  };
  const found = (count: number): void => {
    sampled.skip(count * n);
    scored?.skip(count * n);
  };
  const cut = { size: settings.chunk, atOnce: callsAtOnce(policy) };
  let failed = 0;
  for await (const rollouts of walkChunks(phase, collection, cut, make, found)) {
    phase.count('sampled', countTokens(rollouts));
    phase.count('scored', countScored(rollouts));
    for (const { problem, error } of rollouts) {
      if (error === undefined) continue;
      phase.record('failed', { problem: problem.id, reason: error });
      if (++failed <= MOST_SAID) phase.say(`problem ${problem.id}: ${error}`);
    }
    yield rollouts;
  }
  if (failed > MOST_SAID) phase.say(`${title}: ${failed} problems could not be sampled, the journal names them`);
}

/** The rollouts of a finished collection, from disk. */
export function readCollection(
  phase: Phase,
  collection: Collection,
  settings: SampleSettings,
): AsyncGenerator<readonly Rollout[]> {
  return walkChunks(phase, collection, { size: settings.chunk }, () => {
    throw new Error(`rollouts of ${phase.name}/${collection.name} were read back before they were made`);
  });
}

/** A finished collection as rows of a table. */
export interface CollectedRows {
  readonly collection: Collection;
  readonly version: number;
  /** Samples that became training examples, by problem id. */
  readonly selected?: ReadonlyMap<string, ReadonlySet<number>>;
}

/** Writes finished collections of a phase as the file `path` of the run folder. */
export async function writeCollections(
  phase: Phase,
  path: string,
  parts: readonly CollectedRows[],
  settings: SampleSettings,
): Promise<void> {
  await phase.output(path, (aside) => writeRolloutTable(aside, phase.folder, rowsOf(phase, parts, settings)));
}

async function* rowsOf(
  phase: Phase,
  parts: readonly CollectedRows[],
  settings: SampleSettings,
): AsyncGenerator<RowGroup> {
  for (const { collection, version, selected } of parts) {
    const shared = { temperature: collection.temperature, seed: settings.seed, version };
    for await (const rollouts of readCollection(phase, collection, settings)) {
      for (const rollout of rollouts) {
        const context: RowContext = { ...shared, selected: selected?.get(rollout.problem.id) ?? new Set() };
        yield { rollout, context };
      }
    }
  }
}

function countScored(rollouts: readonly Rollout[]): number {
  const scored = rollouts.flatMap(({ responses }) => responses.filter(({ scores }) => scores !== undefined));
  return sum(scored.map(({ response }) => response.tokens.length));
}

/**
 * Yields the rollouts of each chunk in order. A second walk under the same name reads what the first one made.
 * @param make rolls out one chunk, in the order of its problems
 * @param found told how many problems were read from disk
 */
async function* walkChunks(
  phase: Phase,
  { problems, name }: Collection,
  cut: Omit<Cut, 'name'>,
  make: (problems: readonly Problem[]) => Promise<readonly Rollout[]>,
  found: (problems: number) => void = () => {},
): AsyncGenerator<readonly Rollout[]> {
  // The problems are not kept: they are joined again by their order.
  const keep = async (chunk: readonly Problem[]): Promise<readonly Omit<Rollout, 'problem'>[]> => {
    const rollouts = await make(chunk);
    return rollouts.map(({ problem: _, ...rest }) => rest);
  };
  for await (const unit of phase.units(problems, { name, ...cut }, keep)) {
    if (unit.found) found(unit.items.length);
    yield unit.value.map((kept, i) => ({ ...kept, problem: unit.items[i] as Problem }));
  }
}

/** Examples in one call of the scorer: bounds the time until a stop is seen. */
const CALL = 256;

/** A response in the tokens of the scorer, and all that are alike to it. */
interface ScoringJob {
  readonly problem: Problem;
  readonly tokens: Int32Array;
  /** Tokens up to the end of each step. */
  readonly ends: readonly number[];
  readonly same: readonly RatedResponse[];
}

/**
 * The same rollouts with scores and reward on every response that `wanted` accepts. A problem whose responses or pictures the
 * scorer cannot take has failed.
 * @param tokenizer of the policy that sampled: a scorer of another one gets the responses as text
 */
export async function scoreRollouts(
  { scorer, aggregate: how, wanted }: NonNullable<Collection['reward']>,
  rollouts: readonly Rollout[],
  tokenizer: string,
  watch: Watch,
): Promise<Rollout[]> {
  const jobs: ScoringJob[] = [];
  const failed = new Map<Problem, string>();
  for (const { problem, responses } of rollouts) {
    try {
      const own = responses.filter((rated) => rated.steps.length > 0 && wanted(rated));
      jobs.push(...(await jobsOf(problem, own, scorer, scorer.tokenizer === tokenizer)));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      failed.set(problem, `PRM: ${error.message}`);
    }
  }
  const scores = new Map<RatedResponse, Float32Array>();
  for (let from = 0; from < jobs.length; from += CALL) {
    stopIfAsked(watch.signal);
    const call = jobs.slice(from, from + CALL);
    const examples = call.map(({ problem, tokens }): Example => ({ problem, variant: 'solve', response: tokens }));
    const results = await scorer.score(
      examples,
      call.map(({ ends }) => Uint32Array.from(ends, (end) => end - 1)),
    );
    for (const [i, { same }] of call.entries()) {
      for (const rated of same) scores.set(rated, results[i] as Float32Array);
      watch.meter.advance(same.length);
    }
  }
  return rollouts.map((rollout) => {
    const error = failed.get(rollout.problem);
    if (error !== undefined) return { problem: rollout.problem, responses: [], error };
    const responses = rollout.responses.map((rated) => {
      const found = scores.get(rated);
      return found ? { ...rated, scores: found, reward: aggregate(found, how) } : rated;
    });
    return { ...rollout, responses };
  });
}

/** A score is a function of the tokens: responses that are alike are scored once. */
async function jobsOf(
  problem: Problem,
  responses: readonly RatedResponse[],
  scorer: Scorer,
  byIds: boolean,
): Promise<ScoringJob[]> {
  const encoded: { rated: RatedResponse; tokens: Int32Array; ends: readonly number[] }[] = [];
  for (const rated of responses) {
    const { response, steps } = rated;
    const textEnds = steps.map(({ textEnd }) => textEnd);
    const { tokens, ends } = byIds
      ? { tokens: response.tokens, ends: steps.map(({ tokenEnd }) => tokenEnd) }
      : await scorer.encodeSteps(problem, response.text, textEnds, response.finish === 'stop');
    // A response that was cut off before it had any text has nothing to score.
    if (tokens.length > 0) encoded.push({ rated, tokens, ends: [...ends] });
  }
  const alike = groupBy(encoded, ({ tokens, ends }) => `${tokens.join()} ${ends.join()}`);
  return [...alike.values()].map((same) => {
    const { tokens, ends } = same[0] as (typeof same)[number];
    return { problem, tokens, ends, same: same.map(({ rated }) => rated) };
  });
}
