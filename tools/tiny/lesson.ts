// The simplest picture question, "What is blue and red?", answered by reading them: what the embedded model first learns to see by.
import { Draws, type Family, families } from '#src/problems/families.js';
import { readingOf } from '#src/problems/kinds.js';

/** A question with its right response, for training on. */
export interface Lesson {
  readonly question: string;
  readonly response: string;
  /** 8-bit RGB, row by row. */
  readonly rgb: Uint8Array;
}

/** Lesson number `index` of a family: a picture of two to four quantities from 1 to `range`, some of which are asked for. */
export function lesson(family: string, seed: number, index: number, range: number): Lesson {
  const { introduction, names, draw } = families[family] as Family;
  const draws = new Draws(seed, `lesson/${family}/${index}`);
  const shown = draws.pick(names, 2 + draws.below(3)).map((name) => ({ name, value: 1 + draws.below(range) }));
  const asked = shown.slice(0, 1 + draws.below(shown.length));
  return {
    question: `${introduction} What is ${asked.map(({ name }) => name).join(' and ')}?`,
    response: asked.map((quantity) => readingOf(quantity, draws)).join('\n'),
    rgb: draw(shown, draws).rgb,
  };
}
