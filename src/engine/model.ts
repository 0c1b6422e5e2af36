// What a policy and a process reward model share: optimizer settings, checkpoints, release.
import { z } from 'zod';
import { nameIn, type ParameterShape } from '../checkpoint/parameters.js';
import { type ExtraFile, planWeights, type SaveFile, saveFile, writeFolder } from '../checkpoint/save.js';
import { counterFile, planTrainer, readTrainer } from '../checkpoint/trainer.js';
import { type EngineError, UserError } from '../core/errors.js';
import type { OptimizerSettings } from '../core/ports.js';
import { checked } from '../core/schema.js';
import type { Example, StepReport } from '../core/types.js';
import type { NativeGroup, NativeModel, RawExample } from './binding.js';
import { guarded } from './native.js';
import { aliasOf, type OpenedModel } from './open.js';
import type { Renderer } from './renderer.js';

const optimizerSchema = z.strictObject({
  lr: z.number().min(0),
  warmupSteps: z.number().int().min(0),
  betas: z.tuple([z.number(), z.number()]),
  eps: z.number(),
  weightDecay: z.number(),
  clip: z.number().min(0),
  freeze: z.array(z.enum(['vision', 'projector', 'language'])),
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
  #trained: readonly ParameterShape[] | undefined;

  constructor(opened: OpenedModel, renderer: Renderer) {
    this.opened = opened;
    this.renderer = renderer;
  }

  /** Optimizer steps since the weights were loaded or the optimizer was reset. */
  get version(): number {
    return this.opened.native.version;
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
    await guarded(() => this.opened.native.setOptimizer({ ...same, beta1, beta2, frozen }, group));
    this.#trained = this.opened.parameters.filter(({ name }) => !frozen.some((prefix) => name.startsWith(prefix)));
  }

  async trainStep(batch: readonly Example[]): Promise<StepReport> {
    const take = await this.prepareStep(batch);
    return take();
  }

  /** Renders a batch, and gives what takes the step on it. Throws UserError when a picture cannot be used; so does the step when gradients are not finite. */
  async prepareStep(batch: readonly Example[]): Promise<() => Promise<StepReport>> {
    const examples: RawExample[] = await Promise.all(batch.map((example) => this.renderer.example(example)));
    return () =>
      guarded(() => this.opened.native.trainStep(examples, this.objective)).catch((error: EngineError) => {
        if (!error.message.startsWith('gradients are not finite')) throw error;
        throw new UserError(`${error.message}; wanted a smaller lr, or data and weights that are not broken`);
      });
  }

  /** Writes a checkpoint folder in Hugging Face form into `dir`, which must not exist; flushed when this resolves. */
  async save(dir: string, { withTrainer = false, write = writeHere }: SaveOptions = {}): Promise<void> {
    const { folder, native, parameters } = this.opened;
    const weights = planWeights(folder, parameters, nameIn(aliasOf(this.opened)));
    const files = weights.map((plan) => saveFile(dir, plan));
    const small: ExtraFile[] = [...folder.sideFiles];
    if (withTrainer) {
      files.push(saveFile(dir, planTrainer(weights, this.#optimized())));
      small.push(counterFile(native.version));
    }
    await writeFolder(dir, weights, small, () => write(native, files));
  }

  /** Continues from what `save(dir, { withTrainer: true })` wrote, bit for bit; the optimizer's settings are those of the last reset. */
  async restore(dir: string): Promise<void> {
    const { parameters } = this.opened;
    const { files, version } = await readTrainer(dir, parameters, this.#optimized(), aliasOf(this.opened));
    await guarded(() => this.opened.native.restore(files, version));
  }

  /** Frees weights, optimizer and caches at once. Running work is cancelled, later calls reject. */
  async dispose(): Promise<void> {
    await guarded(() => this.opened.native.dispose());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  #optimized(): readonly ParameterShape[] {
    if (this.#trained) return this.#trained;
    throw new Error('the model has no optimizer: call resetOptimizer first');
  }
}
