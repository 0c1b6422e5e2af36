// One picture problem from (family, seed, index): picture, question, answer and a true chain of reasoning.
import { UserError } from '../core/errors.js';
import { letterAt } from '../core/letters.js';
import type { ProblemTruth } from '../core/types.js';
import { Draws, families, type Quantity } from './families.js';
import { type Kind, kinds, readingOf } from './kinds.js';

/** How hard problems are. */
export interface Knobs {
  /** Values in pictures are 1 to `range`, an integer from 4 to 9. */
  readonly range: number;
  /** Share of multiple-choice problems, 0 to 1. */
  readonly choiceShare: number;
}

export interface PictureProblem {
  /** The user's text, choices included. */
  readonly question: string;
  /** A choice letter for multiple choice, else the value. */
  readonly answer: string;
  /** Choice texts in order A, B, C...; empty for free-form questions. */
  readonly choices: readonly string[];
  /** 8-bit RGB, row by row. */
  readonly rgb: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly truth: ProblemTruth;
}

export const defaultKnobs: Knobs = { range: 9, choiceShare: 0.4 };

/** Share of the chains that also read a quantity of the picture that the question does not ask about, where there is one. */
const irrelevantShare = 0.15;

/** Makes problem number `index` of a family; the same arguments give the same problem. Throws UserError on an unknown family or a knob out of range. */
export function generateProblem(
  family: string,
  seed: number,
  index: number,
  knobs: Knobs = defaultKnobs,
): PictureProblem {
  const drawing = families[family];
  if (drawing === undefined) {
    throw new UserError(`--families: ${family}, wanted some of ${Object.keys(families).join(', ')}`);
  }
  if (!Number.isInteger(knobs.range) || knobs.range < 4 || knobs.range > drawing.limit) {
    throw new UserError(`range: ${knobs.range}, wanted an integer from 4 to ${drawing.limit}`);
  }
  const draws = new Draws(seed, `${family}/${index}`);
  const kind = drawKind(draws);
  const multipleChoice = draws.uniform() < knobs.choiceShare;
  const count = kind.quantities[draws.below(kind.quantities.length)] as number;
  const shown = count + draws.below(drawing.names.length - count + 1);
  const names = draws.pick(drawing.names, shown);
  const values = drawValues(shown, knobs.range, kind.distinct ?? false, draws);
  const scene: Quantity[] = names.map((name, i) => ({ name, value: values[i] as number }));
  const [asked, others] = [scene.slice(0, count), scene.slice(count)];
  // Any order of reading is as good as another, so the chain is told in a random one.
  const order = draws.pick(asked, count);
  const { text, options, conclusion, answer: value } = kind.ask(asked, order, draws, multipleChoice);
  const read = [...order];
  if (others.length > 0 && draws.uniform() < irrelevantShare)
    read.splice(draws.below(count + 1), 0, others[0] as Quantity);
  // The choice's text, not its letter: the letter adds nothing to the reasoning, and graders take either.
  const steps = [...read.map((quantity) => readingOf(quantity, draws)), ...conclusion, `The answer is ${value}.`];
  const canvas = drawing.draw(draws.pick(scene, shown), draws);

  const choices = multipleChoice ? draws.pick(options, options.length) : [];
  let question = `${drawing.introduction} ${text}`;
  let answer = value;
  if (multipleChoice) {
    question += `\nChoices:${choices.map((choice, i) => `\n(${letterAt(i)}) ${choice}`).join('')}`;
    answer = letterAt(choices.indexOf(value));
  }
  return {
    question,
    answer,
    choices,
    rgb: canvas.rgb,
    width: canvas.width,
    height: canvas.height,
    truth: { family, steps, scene: Object.fromEntries(scene.map((one) => [one.name, one.value])) },
  };
}

/** Each kind as often as its weight says. */
function drawKind(draws: Draws): Kind {
  const turns = Object.values(kinds).flatMap((kind) => Array<Kind>(kind.weight).fill(kind));
  return turns[draws.below(turns.length)] as Kind;
}

/** Values for `count` quantities; where one is to be the largest, no other may equal it. */
function drawValues(count: number, range: number, distinct: boolean, draws: Draws): number[] {
  const all = Array.from({ length: range }, (_, i) => i + 1);
  return distinct ? draws.pick(all, count) : Array.from({ length: count }, () => 1 + draws.below(range));
}
