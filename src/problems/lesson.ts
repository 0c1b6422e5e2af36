// The simplest questions: "What is blue?" about a picture, and finding the letter of a choice: what the embedded model starts from.
// Leaves problems with reasoning to problem.ts.
import { Draws } from './draws.js';
import { type Family, families } from './families.js';

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

/** As `lesson`, but the question is which choice holds a number from 0 to 3 x `range`; the picture has no part in it. */
export function choiceLesson(family: string, seed: number, index: number, range: number): Lesson {
  const { introduction, names, draw } = families[family] as Family;
  const draws = new Draws(seed, `choice-lesson/${family}/${index}`);
  const numbers = Array.from({ length: 3 * range + 1 }, (_, value) => value);
  const choices = draws.pick(numbers, 4);
  const right = draws.below(choices.length);
  const letter = String.fromCharCode(65 + right);
  const list = choices.map((value, i) => `\n(${String.fromCharCode(65 + i)}) ${value}`).join('');
  return {
    question: `${introduction} What is ${choices[right]}?\nChoices:${list}`,
    response: `(${letter}) is ${choices[right]}.\nThe answer is ${letter}.`,
    rgb: draw([{ name: draws.pick(names, 1)[0] as string, value: 1 + draws.below(range) }], draws).rgb,
  };
}
