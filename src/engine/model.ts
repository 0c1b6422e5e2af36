// What a policy and a process reward model share: optimizer settings, checkpoints, release.
import { z } from 'zod';
import { nameIn, type ParameterShape } from '../checkpoint/parameters.js';
import { type ExtraFile, planWeights, saveFile, writeFolder } from '../checkpoint/save.js';
import { counterFile, planTrainer, readTrainer } from '../checkpoint/trainer.js';
import type { OptimizerSettings } from '../core/ports.js';
import { checked } from '../core/schema.js';
import type { Example, StepReport } from '../core/types.js';
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

export abstract class Model implements AsyncDisposable {
  readonly opened: OpenedModel;
  protected readonly renderer: Renderer;
  #trained: readonly ParameterShape[] | undefined;

  constructor(opened: OpenedModel, renderer: Renderer) {
    this.opened = opened;
    this.renderer = renderer;
  }

  /** Optimizer steps since the weights were loaded or the optimizer was reset. */
  get version(): number {
    return this.opened.native.version;
  }

  /** Starts a fresh optimizer: zero moments, step 0. */
  async resetOptimizer(settings: OptimizerSettings): Promise<void> {
    checked(optimizerSchema, settings, 'resetOptimizer', 'settings', 'ERR_SETTING');
    const { betas, freeze, ...same } = settings;
    const frozen = freeze.flatMap((part) => this.opened.backbone.prefixes[part]);
    const [beta1, beta2] = betas;
    await guarded(() => this.opened.native.setOptimizer({ ...same, beta1, beta2, frozen }));
    this.#trained = this.opened.parameters.filter(({ name }) => !frozen.some((prefix) => name.startsWith(prefix)));
  }

  /** Writes a checkpoint folder in Hugging Face form into `dir`, which must not exist; flushed when this resolves. */
  async save(dir: string, { withTrainer = false }: { withTrainer?: boolean } = {}): Promise<void> {
    const { folder, native, parameters } = this.opened;
    const weights = planWeights(folder, parameters, nameIn(aliasOf(this.opened)));
    const files = weights.map((plan) => saveFile(dir, plan));
    const small: ExtraFile[] = [...folder.sideFiles];
    if (withTrainer) {
      files.push(saveFile(dir, planTrainer(weights, this.#optimized())));
      small.push(counterFile(native.version));
    }
    await writeFolder(dir, weights, small, () => guarded(() => native.save(files)));
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

  protected async step(batch: readonly Example[], objective: 'response' | 'step'): Promise<StepReport> {
    const examples = await Promise.all(batch.map((example) => this.renderer.example(example)));
    return guarded(() => this.opened.native.trainStep(examples, objective));
  }

  #optimized(): readonly ParameterShape[] {
    if (this.#trained) return this.#trained;
    throw new Error('the model has no optimizer: call resetOptimizer first');
  }
}
