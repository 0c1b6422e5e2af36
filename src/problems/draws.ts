// Random draws one after the other from one named stream, as drawing a picture wants them.
import { type Random, random } from '../core/random.js';

export class Draws {
  private readonly stream: Random;
  private drawn = 0;

  constructor(seed: number, purpose: string) {
    this.stream = random(seed, purpose);
  }

  /** Uniform integer in [0, n). */
  below(n: number): number {
    return this.stream.below(this.drawn++, n);
  }

  /** Uniform number in [0, 1). */
  uniform(): number {
    return this.stream.uniform(this.drawn++);
  }

  /** `count` different items in random order. */
  pick<T>(items: readonly T[], count: number): T[] {
    const rest = [...items];
    return Array.from({ length: count }, () => rest.splice(this.below(rest.length), 1)[0] as T);
  }
}
