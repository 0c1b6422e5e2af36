// The questions that can be asked about named quantities, with their right reasoning line by line.
// Leaves pictures to families.ts.
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

interface Kind {
  /** How many quantities a question asks about. */
  readonly quantities: number;
  ask(quantities: readonly Quantity[], draws: Draws, multipleChoice: boolean): Question;
  /** Lines of right reasoning in one of their ways. `last` is the line before the answer as `ask` has it. */
  tell(quantities: readonly Quantity[], last: string, way: Draws): readonly string[];
}

function readings(quantities: readonly Quantity[]): string[] {
  return quantities.map(({ name, value }) => `${name} is ${value}.`);
}

/** Share of chains that state a reading twice: right, but beside the point. */
const REPEATS = 0.25;

/** The quantities in any order, and their readings, one of them perhaps twice. */
function retold(quantities: readonly Quantity[], draws: Draws): { ordered: readonly Quantity[]; steps: string[] } {
  const ordered = draws.pick(quantities, quantities.length);
  const steps = readings(ordered);
  if (draws.uniform() < REPEATS) steps.push(steps[draws.below(steps.length)] as string);
  return { ordered, steps };
}

/** The answer and three other values near it. */
function near(answer: number, draws: Draws): string[] {
  const others = [-3, -2, -1, 1, 2, 3].map((offset) => answer + offset).filter((value) => value >= 0);
  return [answer, ...draws.pick(others, 3)].map(String);
}

/** Adds up in the order given. */
function additions(quantities: readonly Quantity[]): string[] {
  let total = 0;
  return quantities.flatMap(({ value }, i) => {
    const before = total;
    total += value;
    return i === 0 ? [] : [`${before} + ${value} = ${total}.`];
  });
}

function sum(quantities: readonly Quantity[], draws: Draws): Question {
  const total = quantities.reduce((sofar, { value }) => sofar + value, 0);
  const text = `What is ${quantities.map(({ name }) => name).join(' + ')}?`;
  const steps = [...readings(quantities), ...additions(quantities)];
  return { text, steps, answer: String(total), options: near(total, draws) };
}

function tellSum(quantities: readonly Quantity[], _last: string, way: Draws): string[] {
  const { ordered, steps } = retold(quantities, way);
  return [...steps, ...additions(ordered)];
}

/** Where the line after the readings is the same in whichever order they come. */
function tellReadings(quantities: readonly Quantity[], last: string, way: Draws): string[] {
  return [...retold(quantities, way).steps, last];
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

/** Kinds of question. */
export const kinds: Readonly<Record<string, Kind>> = {
  sum: { quantities: 2, ask: sum, tell: tellSum },
  difference: { quantities: 2, ask: difference, tell: tellReadings },
  total: { quantities: 3, ask: sum, tell: tellSum },
  largest: { quantities: 3, ask: largest, tell: tellReadings },
};
