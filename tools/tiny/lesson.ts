// The simplest picture question, "What is blue?", with its one-line answer: what the embedded model first learns to see by.
import { Draws, type Family, families } from '#src/problems/families.js';

/** A question with its right response, for training on. */
export interface Lesson {
  readonly question: string;
  readonly response: string;
  /** 8-bit RGB, row by row. */
  readonly rgb: Uint8Array;
}

/** Lesson number `index` of a family: a picture of two or three quantities from 1 to `range`, one of which is asked for. */
export function lesson(family: string, seed: number, index: number, range: number): Lesson {
  const { introduction, names, draw } = families[family] as Family;
  const draws = new Draws(seed, `lesson/${family}/${index}`);
  const shown = draws.pick(names, 2 + draws.below(2)).map((name) => ({ name, value: 1 + draws.below(range) }));
  const [asked] = shown as [(typeof shown)[0]];
  return {
    question: `${introduction} What is ${asked.name}?`,
    response: `${asked.name} is ${asked.value}.`,
    rgb: draw(shown, draws).rgb,
  };
}
