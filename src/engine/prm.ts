// The process reward model: the same backbone with a scalar head that rates every response token.
import type { Conversation } from '../backbones/backbone.js';
import { UserError } from '../core/errors.js';
import type { Scorer } from '../core/ports.js';
import type { Example, ImageSource } from '../core/types.js';
import { Model } from './model.js';
import { guarded } from './native.js';

/** A process reward model of the engine. */
export class NativeScorer extends Model implements Scorer {
  protected readonly objective = 'step';

  async score(examples: readonly Example[], at: readonly Uint32Array[]): Promise<Float32Array[]> {
    const raw = await Promise.all(examples.map((example) => this.renderer.example(example)));
    return guarded(() => this.opened.native.score(raw, at));
  }

  /**
   * Scores of the steps of a finished answer to a conversation.
   * @param sources pictures, by the index that the turns use
   * @param ends of the steps in the text, UTF-16, exclusive; the last is the length of the text
   * @returns a score for each step, at its last token
   * @throws UserError where a picture cannot be used, or both together have no room in the model
   */
  async scoreAnswer(
    conversation: Conversation,
    sources: readonly ImageSource[],
    text: string,
    ends: readonly number[],
  ): Promise<Float32Array> {
    const prompt = await this.renderer.conversation(conversation, sources);
    const encoded = this.renderer.encoded(text, ends, true);
    const [length, { positions }] = [prompt.tokens.length + encoded.tokens.length, this.renderer];
    if (length > positions)
      throw new UserError(`messages: ${length} tokens, wanted at most the ${positions} positions of the model`);
    const at = Uint32Array.from(encoded.ends, (end) => end - 1);
    const [scores] = await guarded(() => this.opened.native.score([{ ...prompt, response: encoded.tokens }], [at]));
    return scores as Float32Array;
  }
}
