// A simulated learner behind the ports: it writes the true chain of thought with a probability that training raises.
// Deterministic, with an optimizer whose state matters, and weights that saving rounds, as 16-bit checkpoints do.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError, UserError } from '../../src/core/errors.js';
import type {
  ModelHost,
  OptimizerSettings,
  Policy,
  RolloutHooks,
  RolloutRequest,
  RolloutResult,
  Scorer,
  ScorerHead,
} from '../../src/core/ports.js';
import { random } from '../../src/core/random.js';
import type { Example, PolicyObjective, Problem, Response, Sampling, StepReport } from '../../src/core/types.js';
import { continuation, decode, encode, isSound, respond, truthOf } from './chains.js';

export interface FakeOptions {
  /** Milliseconds per request of a rollout, per score call and per optimizer step: makes room for kills and signals. */
  readonly delayMs?: number;
  /** Problem ids that cannot be sampled. */
  readonly broken?: ReadonlySet<string>;
}

/** Writes a base model folder. */
export function writeFakeModel(dir: string, weights: Partial<Weights> = {}): void {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'model.json'), JSON.stringify({ skill: 0.3, bias: 0, slope: 0, ...weights }));
}

export function fakeHost(options: FakeOptions = {}): ModelHost {
  return {
    openPolicy: async (dir) => new FakePolicy(dir, options),
    openScorer: async (dir, head) => new FakeScorer(dir, head, options),
  };
}

interface Weights {
  /** Log-odds of writing the true chain for a problem of middle difficulty. */
  skill: number;
  /** Score of a wrong step, and what a right one has more. */
  bias: number;
  slope: number;
  tokenizer?: string;
}

const NAMES = ['skill', 'bias', 'slope'] as const;

/** Weights, Adam and files, as both models have them. */
class FakeModel {
  protected readonly options: FakeOptions;
  protected readonly weights: Weights;
  #optimizer: OptimizerSettings | undefined;
  #moments = NAMES.map(() => ({ first: 0, second: 0 }));
  #version = 0;
  #disposed = false;

  constructor(dir: string, options: FakeOptions) {
    this.options = options;
    try {
      this.weights = JSON.parse(readFileSync(join(dir, 'model.json'), 'utf8')) as Weights;
    } catch {
      throw new UserError(`${dir}: model.json: missing, wanted a fake model`);
    }
  }

  get version(): number {
    return this.#version;
  }

  async resetOptimizer(settings: OptimizerSettings): Promise<void> {
    this.alive();
    this.#optimizer = settings;
    this.#moments = NAMES.map(() => ({ first: 0, second: 0 }));
    this.#version = 0;
  }

  /** A model folder may name another tokenizer, in which every character has another id. */
  get tokenizer(): string {
    return this.weights.tokenizer ?? 'characters';
  }

  protected get shift(): number {
    return this.weights.tokenizer === undefined ? 0 : 1000;
  }

  async encodeSteps(_problem: Problem, text: string, ends: readonly number[], stops: boolean) {
    const all = encode(text).map((token) => token + this.shift);
    const tokens = stops ? all : all.slice(0, -1);
    return { tokens, ends: Uint32Array.from(ends, (end, i) => (i === ends.length - 1 ? tokens.length : end)) };
  }

  async save(dir: string, { withTrainer = false } = {}): Promise<void> {
    this.alive();
    mkdirSync(dir);
    const rounded = Object.fromEntries(NAMES.map((name) => [name, Math.round(this.weights[name] * 256) / 256]));
    const { tokenizer } = this.weights;
    writeFileSync(join(dir, 'model.json'), JSON.stringify({ ...rounded, tokenizer }));
    const trainer = { weights: this.weights, moments: this.#moments, version: this.#version };
    if (withTrainer) writeFileSync(join(dir, 'trainer.json'), JSON.stringify(trainer));
  }

  async restore(dir: string): Promise<void> {
    if (!this.#optimizer) throw new Error('restore before resetOptimizer');
    const trainer = JSON.parse(readFileSync(join(dir, 'trainer.json'), 'utf8'));
    Object.assign(this.weights, trainer.weights);
    this.#moments = trainer.moments;
    this.#version = trainer.version;
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
  }

  protected alive(): void {
    if (this.#disposed) throw new EngineError('ERR_DISPOSED', 'the model was disposed');
  }

  /** One Adam step on the gradient of skill, bias and slope. */
  protected async learn(gradient: readonly number[], loss: number, tokens: number): Promise<StepReport> {
    this.alive();
    if (this.options.delayMs) await sleep(this.options.delayMs);
    const settings = this.#optimizer;
    if (!settings) throw new Error('trainStep before resetOptimizer');
    const step = ++this.#version;
    const { warmupSteps, decaySteps = 0, totalSteps = 0 } = settings;
    const falling = decaySteps > 0 ? Math.min(1, (totalSteps - step + 1) / decaySteps) : 1;
    const lr = settings.lr * Math.min(1, step / Math.max(1, warmupSteps)) * falling;
    const [beta1, beta2] = settings.betas;
    NAMES.forEach((name, i) => {
      const moment = this.#moments[i] as { first: number; second: number };
      moment.first = beta1 * moment.first + (1 - beta1) * (gradient[i] as number);
      moment.second = beta2 * moment.second + (1 - beta2) * (gradient[i] as number) ** 2;
      const update =
        moment.first / (1 - beta1 ** step) / (Math.sqrt(moment.second / (1 - beta2 ** step)) + settings.eps);
      this.weights[name] -= lr * update;
    });
    return { loss, gradNorm: Math.hypot(...gradient), lr, tokens, version: step };
  }
}

class FakePolicy extends FakeModel implements Policy {
  async rollout(
    requests: readonly RolloutRequest[],
    sampling: Sampling,
    seed: number,
    hooks: RolloutHooks = {},
  ): Promise<RolloutResult> {
    this.alive();
    const bad = requests.find(({ problem }) => this.options.broken?.has(problem.id));
    if (bad) throw new UserError(`${bad.problem.id}.png: picture: damaged, wanted a PNG`);
    const responses: Response[][] = [];
    let tokens = 0;
    for (const request of requests) {
      if (this.options.delayMs) await sleep(this.options.delayMs);
      if (hooks.signal?.aborted) throw hooks.signal.reason;
      responses.push(Array.from({ length: request.n }, (_, sample) => this.#sample(request, sampling, seed, sample)));
      tokens += (responses.at(-1) as Response[]).reduce((sum, one) => sum + one.tokens.length, 0);
      hooks.onProgress?.(
        responses.flat().length,
        requests.reduce((sum, { n }) => sum + n, 0),
        tokens,
      );
    }
    return {
      responses,
      stats: {
        visionEncodes: requests.length,
        prefillTokens: 0,
        decodeTokens: tokens,
        cachedPrompts: 0,
        recomputedTokens: 0,
        kvBytes: 0,
        seconds: 0,
      },
    };
  }

  async logprobs(examples: readonly Example[]): Promise<Float32Array[]> {
    return examples.map(({ response }) => new Float32Array(response.length));
  }

  /** Maximum likelihood of the chains in the batch: true ones pull the skill up, others down; with an objective by their advantages. */
  async trainStep(batch: readonly Example[], objective?: PolicyObjective): Promise<StepReport> {
    let gradient = 0;
    let loss = 0;
    let tokens = 0;
    for (const { problem, response, sampled, weight = sampled?.advantage ?? 1 } of batch) {
      const chance = this.#chance(problem, 1);
      const sound = isSound(problem, decode(response));
      gradient += (weight * (chance - (sound ? 1 : 0))) / batch.length;
      loss -= (weight * Math.log(sound ? chance : 1 - chance)) / batch.length;
      tokens += response.length;
    }
    const report = await this.learn([gradient, 0, 0], loss, tokens);
    return objective ? { ...report, clipShare: 0, kl: objective.kl, mismatchMean: 0, mismatchMax: 0 } : report;
  }

  encodeResponse(text: string): Int32Array {
    return encode(text);
  }

  /** Chance of the true chain: skill against the difficulty of the problem, flattened by temperature. */
  #chance(problem: Problem, temperature: number): number {
    const difficulty = 4 * random(7, `difficulty/${problem.id}`).uniform(0) - 2;
    const odds = this.weights.skill - difficulty;
    return temperature === 0 ? (odds > 0 ? 1 : 0) : 1 / (1 + Math.exp(-odds / temperature));
  }

  #sample(
    { problem, prefix, variant, key }: RolloutRequest,
    sampling: Sampling,
    seed: number,
    sample: number,
  ): Response {
    const draw = random(seed, `${key}/${sample}`);
    const sofar = prefix ? decode(prefix) : '';
    const chance = variant === 'givenAnswer' ? 0.8 : this.#chance(problem, sampling.temperature);
    const right = isSound(problem, sofar) && draw.uniform(0) < chance;
    const last = truthOf(problem).length - 1;
    const wrongAt = right ? undefined : draw.below(1, last);
    // Greedy has no style of its own and no luck, so that its accuracy follows the skill.
    const greedy = sampling.temperature === 0;
    const text = continuation(problem, sofar, {
      wrongAt,
      lucky: !greedy && draw.uniform(2) < 0.4,
      style: greedy ? 0 : draw.below(3, 16),
    });
    return respond(text, sampling.maxTokens, Math.max(chance, 0.01));
  }
}

class FakeScorer extends FakeModel implements Scorer {
  constructor(dir: string, head: ScorerHead, options: FakeOptions) {
    super(dir, options);
    if (head === 'mean') Object.assign(this.weights, { bias: 0, slope: 0.01 });
  }

  async score(examples: readonly Example[], at: readonly Uint32Array[]): Promise<Float32Array[]> {
    this.alive();
    if (this.options.delayMs) await sleep(this.options.delayMs);
    return examples.map((example, i) =>
      Float32Array.from(at[i] as Uint32Array, (token) => this.#score(example, token)),
    );
  }

  /** Mean squared error over all tokens. */
  trainStep(batch: readonly Example[]): Promise<StepReport> {
    const gradient = [0, 0, 0];
    let loss = 0;
    const tokens = batch.reduce((sum, { response }) => sum + response.length, 0);
    for (const example of batch) {
      example.labels?.forEach((label, token) => {
        const feature = this.#feature(example, token);
        const error = this.weights.bias + this.weights.slope * feature - label;
        loss += error ** 2 / tokens;
        gradient[1] = (gradient[1] as number) + (2 * error) / tokens;
        gradient[2] = (gradient[2] as number) + (2 * error * feature) / tokens;
      });
    }
    return this.learn(gradient, loss, tokens);
  }

  #feature({ problem, response }: Example, token: number): number {
    const known = response.slice(0, token + 1).map((id) => id - this.shift);
    const text = decode(known).trimEnd();
    // Of problems from elsewhere the truth is not known: steps say themselves that they are wrong.
    return (problem.truth ? isSound(problem, text) : !text.includes('wrong')) ? 1 : 0;
  }

  #score(example: Example, token: number): number {
    return this.weights.bias + this.weights.slope * this.#feature(example, token);
  }
}
