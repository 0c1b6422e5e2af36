// One picture problem from (family, seed, index): picture, question, answer and the true reasoning.
import { UserError } from '../core/errors.js';
import { letterAt } from '../core/letters.js';
import type { ProblemTruth } from '../core/types.js';
import { Draws, families, type Quantity } from './families.js';

/** How hard problems are. */
export interface Knobs {
  /** Values in pictures are 1 to `range`, an integer from 3 to 9. */
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

/** Values for `count` quantities; where one is to be the largest, no other may equal it. */
function drawValues(count: number, range: number, distinct: boolean, draws: Draws): number[] {
  const all = Array.from({ length: range }, (_, i) => i + 1);
  return distinct ? draws.pick(all, count) : Array.from({ length: count }, () => 1 + draws.below(range));
}

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
  if (!Number.isInteger(knobs.range) || knobs.range < 3 || knobs.range > drawing.limit) {
    throw new UserError(`range: ${knobs.range}, wanted an integer from 3 to ${drawing.limit}`);
  }
  const draws = new Draws(seed, `${family}/${index}`);
  const kindNames = Object.keys(kinds);
  const kindName = kindNames[draws.below(kindNames.length)] as string;
  const kind = kinds[kindName] as (typeof kinds)[string];
  const multipleChoice = draws.uniform() < knobs.choiceShare;
  const names = draws.pick(drawing.names, kind.quantities);
  const values = drawValues(kind.quantities, knobs.range, kindName === 'largest', draws);
  const quantities: Quantity[] = names.map((name, i) => ({ name, value: values[i] as number }));
  const asked = kind.ask(quantities, draws, multipleChoice);
  const canvas = drawing.draw(quantities, draws);

  const steps = [...asked.steps];
  const choices = multipleChoice ? draws.pick(asked.options, asked.options.length) : [];
  let question = `${drawing.introduction} ${asked.text}`;
  let answer = asked.answer;
  if (multipleChoice) {
    question += `\nChoices:${choices.map((text, i) => `\n(${letterAt(i)}) ${text}`).join('')}`;
    answer = letterAt(choices.indexOf(asked.answer));
  }
  // The choice's text, not its letter: the letter adds nothing to the reasoning, and graders take either.
  steps.push(`The answer is ${asked.answer}.`);
  const scene = Object.fromEntries(quantities.map(({ name, value }) => [name, value]));
  return {
    question,
    answer,
    choices,
    rgb: canvas.rgb,
    width: canvas.width,
    height: canvas.height,
    truth: { family, steps, scene },
  };
}

/** A question about some quantities and how to answer it. */
export interface Question {
  readonly text: string;
  /** Lines of right reasoning, without the line that states the answer. */
  readonly steps: readonly string[];
  /** Value of the answer: a number, or a name where `options` are names. */
  readonly answer: string;
  /** What the answer could be taken for in a multiple-choice question, the answer itself included. */
  readonly options: readonly string[];
}

type Kind = (quantities: readonly Quantity[], draws: Draws, multipleChoice: boolean) => Question;

function readings(quantities: readonly Quantity[]): string[] {
  return quantities.map(({ name, value }) => `${name} is ${value}.`);
}

/** The answer and three other values near it. */
function near(answer: number, draws: Draws): string[] {
  const others = [-3, -2, -1, 1, 2, 3].map((offset) => answer + offset).filter((value) => value >= 0);
  return [answer, ...draws.pick(others, 3)].map(String);
}

function sum(quantities: readonly Quantity[], draws: Draws): Question {
  const steps = readings(quantities);
  let total = 0;
  quantities.forEach(({ value }, i) => {
    if (i > 0) steps.push(`${total} + ${value} = ${total + value}.`);
    total += value;
  });
  const text = `What is ${quantities.map(({ name }) => name).join(' + ')}?`;
  return { text, steps, answer: String(total), options: near(total, draws) };
}

function difference(quantities: readonly Quantity[], draws: Draws): Question {
  const [large, small] = [...quantities].sort((a, b) => b.value - a.value) as [Quantity, Quantity];
  const left = large.value - small.value;
  const steps = [...readings([large, small]), `${large.value} - ${small.value} = ${left}.`];
  const text = `What is ${large.name} - ${small.name}?`;
  return { text, steps, answer: String(left), options: near(left, draws) };
}

/** With choices: which one is the largest; else: how large it is. */
function largest(quantities: readonly Quantity[], _draws: Draws, multipleChoice: boolean): Question {
  const best = quantities.reduce((a, b) => (b.value > a.value ? b : a));
  const answer = multipleChoice ? best.name : String(best.value);
  const names = quantities.map(({ name }) => name);
  const list = `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
  const text = multipleChoice ? `Which is the largest of ${list}?` : `What is the largest of ${list}?`;
  return { text, steps: [...readings(quantities), `${answer} is the largest.`], answer, options: names };
}

/** Kinds of question with the number of quantities that each asks about. */
export const kinds: Readonly<Record<string, { readonly quantities: number; readonly ask: Kind }>> = {
  sum: { quantities: 2, ask: sum },
  difference: { quantities: 2, ask: difference },
  total: { quantities: 3, ask: sum },
  largest: { quantities: 3, ask: largest },
};
