// What a policy and a process reward model share: optimizer settings, checkpoints, release.
import { z } from 'zod';
import { planAdapter } from '../checkpoint/adapter.js';
import { nameIn } from '../checkpoint/parameters.js';
import type { StoredDtype, TensorDtype, TensorPlan } from '../checkpoint/safetensors.js';
import {
  type ExtraFile,
  planWeights,
  type SaveFile,
  saveFile,
  type WeightPlan,
  writeFolder,
} from '../checkpoint/save.js';
import { counterFile, planTrainer, readTrainer } from '../checkpoint/trainer.js';
import { type EngineError, UserError } from '../core/errors.js';
import type { OptimizerSettings } from '../core/ports.js';
import { checked } from '../core/schema.js';
import type { Example, PolicyObjective, Problem, StepReport } from '../core/types.js';
import type { EncodedSteps } from '../text/encoded-steps.js';
import type { NativeGroup, NativeModel, RawExample } from './binding.js';
import { guarded } from './native.js';
import { aliasOf, type OpenedModel } from './open.js';
import type { Renderer } from './renderer.js';

const optimizerSchema = z.strictObject({
  lr: z.number().min(0),
  warmupSteps: z.number().int().min(0),
  decaySteps: z.number().int().min(0).optional(),
  totalSteps: z.number().int().min(0).optional(),
  betas: z.tuple([z.number(), z.number()]),
  eps: z.number(),
  weightDecay: z.number(),
  clip: z.number().min(0),
  moments: z.enum(['float32', '8bit']).optional(),
  freeze: z.array(z.enum(['vision', 'projector', 'language'])),
});

const objectiveSchema = z.strictObject({
  temperature: z.number().gt(0),
  clipLow: z.number().min(0),
  clipHigh: z.number().min(0),
  kl: z.number().min(0),
  aggregation: z.enum(['response', 'token', 'constant']),
  length: z.number().int().min(1),
});

export interface SaveOptions {
  readonly withTrainer?: boolean;
  /** Has the engine write the weight files, for which the folder is there. */
  readonly write?: (native: NativeModel, files: readonly SaveFile[]) => Promise<void>;
}

const writeHere: NonNullable<SaveOptions['write']> = (native, files) => guarded(() => native.save(files));

export abstract class Model implements AsyncDisposable {
  readonly opened: OpenedModel;
  protected readonly renderer: Renderer;
  /** What its training steps lower: the loss of responses, or of the scores of their tokens. */
  protected abstract readonly objective: 'response' | 'step';
  #moments: readonly TensorPlan<StoredDtype>[] | undefined;

  constructor(opened: OpenedModel, renderer: Renderer) {
    this.opened = opened;
    this.renderer = renderer;
  }

  /** Optimizer steps since the weights were loaded or the optimizer was reset. */
  get version(): number {
    return this.opened.native.version;
  }

  get tokenizer(): string {
    return this.opened.tokenizerName;
  }

  /** Token ids of a response given as text and the tokens up to the end of each of its steps, as `Learner` says. Throws UserError. */
  encodeSteps(problem: Problem, text: string, ends: readonly number[], stops: boolean): Promise<EncodedSteps> {
    return this.renderer.steps(problem, text, ends, stops);
  }

  /**
   * Starts a fresh optimizer: zero moments, step 0. With a group its ranks train the model together: on all of them it is
   * reset, stepped, saved and restored, in the same order.
   */
  async resetOptimizer(settings: OptimizerSettings, group?: NativeGroup): Promise<void> {
    checked(optimizerSchema, settings, 'resetOptimizer', 'settings', 'ERR_SETTING');
    const { betas, freeze, ...same } = settings;
    const frozen = freeze.flatMap((part) => this.opened.backbone.prefixes[part]);
    const [beta1, beta2] = betas;
    this.#moments = await guarded(() => this.opened.native.setOptimizer({ ...same, beta1, beta2, frozen }, group));
  }

  /**
   * One optimizer step, as `Learner.trainStep`. Throws UserError on an example that cannot be used and on gradients that are
   * not finite.
   */
  async trainStep(batch: readonly Example[], objective?: PolicyObjective): Promise<StepReport> {
    const take = await this.prepareStep(batch, objective);
    return take();
  }

  /**
   * Renders a batch, and gives what takes the step on it. Throws UserError when a picture cannot be used or an example lacks what the
   * objective needs; so does the step when gradients are not finite.
   */
  async prepareStep(batch: readonly Example[], objective?: PolicyObjective): Promise<() => Promise<StepReport>> {
    if (objective) checkPolicyStep(batch, objective);
    const examples: RawExample[] = await Promise.all(batch.map((example) => this.renderer.example(example)));
    return () =>
      guarded(() => this.opened.native.trainStep(examples, objective ?? this.objective)).catch((error: EngineError) => {
        if (!error.message.startsWith('gradients are not finite')) throw error;
        throw new UserError(`${error.message}; wanted a smaller lr, or data and weights that are not broken`);
      });
  }

  /**
   * Writes a checkpoint folder in Hugging Face form into `dir`, which must not exist; flushed when this resolves. Beside an
   * adapter it is a folder of PEFT: the adapter and what learns with it, without the base.
   */
  async save(dir: string, { withTrainer = false, write = writeHere }: SaveOptions = {}): Promise<void> {
    const { folder, backbone, native, adapter, own } = this.opened;
    const plan = adapter && planAdapter(adapter, own, backbone.moduleName);
    const weights = plan ? [plan.weights] : this.#wholeWeights();
    const files = weights.map((one) => saveFile(dir, one));
    const small: ExtraFile[] = plan ? [plan.config] : [...folder.sideFiles];
    if (withTrainer) {
      files.push(...planTrainer(weights, this.#optimized()).map((one) => saveFile(dir, one)));
      small.push(counterFile(native.version));
    }
    await writeFolder(dir, weights, small, () => write(native, files));
  }

  /**
   * Writes the whole model into `dir`, which must not exist, with its adapter added to the matrices in float32 and rounded
   * once.
   * @param dtype of the adapted matrices and all others; as the files of the base have them when left out
   * @returns L2 norms of what the adapter adds and of what rounding took from the sums
   */
  async saveMerged(dir: string, dtype?: TensorDtype): Promise<{ readonly update: number; readonly lost: number }> {
    const { folder, native, adapter } = this.opened;
    const targets = new Set(adapter?.targets.map(({ name }) => name));
    const weights = this.#wholeWeights().map(({ file, tensors }) => ({
      file,
      tensors: tensors.map((tensor) => ({ ...tensor, dtype: dtype ?? tensor.dtype })),
    }));
    const named = weights.flatMap(({ tensors }) =>
      tensors.map(({ name, parameter = name, dtype: type }) => ({ name: parameter, dtype: type })),
    );
    const loss = await guarded(() => native.mergeLoss(named));
    const files = weights.map((plan) => {
      const tensors = plan.tensors.map((tensor) => {
        const { name, parameter = name } = tensor;
        return targets.has(parameter) ? { ...tensor, parameter: `merged.${parameter}` } : tensor;
      });
      return saveFile(dir, { ...plan, tensors });
    });
    await writeFolder(dir, weights, [...folder.sideFiles], () => guarded(() => native.save(files)));
    return loss;
  }

  /** Continues from what `save(dir, { withTrainer: true })` wrote, bit for bit; the optimizer's settings are those of the last reset. */
  async restore(dir: string): Promise<void> {
    const { own } = this.opened;
    const { files, version } = await readTrainer(dir, own, this.#optimized(), aliasOf(this.opened));
    await guarded(() => this.opened.native.restore(files, version));
  }

  /** Frees weights, optimizer and caches at once. Running work is cancelled, later calls reject. */
  async dispose(): Promise<void> {
    await guarded(() => this.opened.native.dispose());
  }

  /** `dispose`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  /** The files of a whole model; of an adapter's own parameters none. */
  #wholeWeights(): WeightPlan[] {
    const { folder, parameters, adapter } = this.opened;
    const ofAdapter = new Set(adapter?.shapes.map(({ name }) => name));
    const whole = parameters.filter(({ name }) => !ofAdapter.has(name));
    return planWeights(folder, whole, nameIn(aliasOf(this.opened)));
  }

  #optimized(): readonly TensorPlan<StoredDtype>[] {
    if (this.#moments) return this.#moments;
    throw new Error('the model has no optimizer: call resetOptimizer first');
  }
}

function checkPolicyStep(batch: readonly Example[], objective: PolicyObjective): void {
  const { kl } = checked(objectiveSchema, objective, 'trainStep', 'objective', 'ERR_SETTING');
  const refuse = (example: Example | undefined, field: string, wanted: string): void => {
    if (example)
      throw new UserError(`${field} of an example of problem ${example.problem.id}: ${wanted}`, 'ERR_SETTING');
  };
  const wanted = 'missing, wanted with a policy objective';
  refuse(
    batch.find(({ sampled }) => !sampled),
    'sampled',
    wanted,
  );
  if (kl > 0)
    refuse(
      batch.find(({ sampled }) => !sampled?.reference),
      'sampled.reference',
      `${wanted} and its kl`,
    );
}
