// The questions that can be asked about named quantities, with their right reasoning line by line.
import type { Draws } from './draws.js';
import type { Quantity } from './families.js';

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
