// The process reward model: the same backbone with a scalar head that rates every response token.
import type { Scorer } from '../core/ports.js';
import type { Example } from '../core/types.js';
import { Model } from './model.js';
import { guarded } from './native.js';

/** A process reward model of the engine. */
export class NativeScorer extends Model implements Scorer {
  protected readonly objective = 'step';

  async score(examples: readonly Example[], at: readonly Uint32Array[]): Promise<Float32Array[]> {
    const raw = await Promise.all(examples.map((example) => this.renderer.example(example)));
    return guarded(() => this.opened.native.score(raw, at));
  }
}
