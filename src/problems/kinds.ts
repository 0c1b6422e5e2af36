// The kinds of question about the quantities of a picture. Where only few answers are possible (parity, remainder,
// comparison), a chain with a misread value often ends right by luck, and what is sampled on from the misread value ends wrong
// as often: such luck can be told from the outside. To add a kind, add one entry to `kinds`.
import type { Draws, Quantity } from './families.js';

/** A question about some quantities and how to answer it. */
export interface Question {
  readonly text: string;
  /** Lines of right reasoning from the readings to the answer. */
  readonly conclusion: readonly string[];
  /** Value of the answer: a number, a word, or a name. */
  readonly answer: string;
  /** What the answer could be taken for in a multiple-choice question, the answer itself included. */
  readonly options: readonly string[];
}

export interface Kind {
  /** How many quantities it asks about: one of these. */
  readonly quantities: readonly number[];
  /** How often it is drawn, relative to the others. */
  readonly weight: number;
  /** No two quantities have the same value. */
  readonly distinct?: boolean;
  /** @param order the quantities in the order in which the chain reads them */
  ask(quantities: readonly Quantity[], order: readonly Quantity[], draws: Draws, multipleChoice: boolean): Question;
}

/** A reading in one of two phrasings. */
export function readingOf({ name, value }: Quantity, draws: Draws): string {
  return `${name} ${draws.below(2) === 0 ? 'is' : 'shows'} ${value}.`;
}

/** Adds up in the order of reading. */
function addUp(order: readonly Quantity[]): { readonly total: number; readonly lines: string[] } {
  const lines: string[] = [];
  let total = 0;
  for (const [i, { value }] of order.entries()) {
    if (i > 0) lines.push(`${total} + ${value} = ${total + value}.`);
    total += value;
  }
  return { total, lines };
}

function sumOf(quantities: readonly Quantity[]): string {
  return quantities.map(({ name }) => name).join(' + ');
}

/** The answer and three other values near it. */
function near(answer: number, draws: Draws): string[] {
  const others = [-3, -2, -1, 1, 2, 3].map((offset) => answer + offset).filter((value) => value >= 0);
  return [answer, ...draws.pick(others, 3)].map(String);
}

/** Kinds of question by name. */
export const kinds: Readonly<Record<string, Kind>> = {
  sum: {
    quantities: [2, 3, 4],
    weight: 2,
    ask(quantities, order, draws) {
      const { total, lines } = addUp(order);
      return {
        text: `What is ${sumOf(quantities)}?`,
        conclusion: lines,
        answer: String(total),
        options: near(total, draws),
      };
    },
  },
  difference: {
    quantities: [2],
    weight: 1,
    ask(quantities, _order, draws) {
      const [large, small] = [...quantities].sort((a, b) => b.value - a.value) as [Quantity, Quantity];
      const left = large.value - small.value;
      return {
        text: `What is ${large.name} - ${small.name}?`,
        conclusion: [`${large.value} - ${small.value} = ${left}.`],
        answer: String(left),
        options: near(left, draws),
      };
    },
  },
  /** With choices: which one is the largest; else: how large it is. */
  largest: {
    quantities: [3, 4],
    weight: 1,
    distinct: true,
    ask(quantities, _order, _draws, multipleChoice) {
      const best = quantities.reduce((a, b) => (b.value > a.value ? b : a));
      const answer = multipleChoice ? best.name : String(best.value);
      const names = quantities.map(({ name }) => name);
      const list = `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
      return {
        text: `${multipleChoice ? 'Which' : 'What'} is the largest of ${list}?`,
        conclusion: [`${answer} is the largest.`],
        answer,
        options: names,
      };
    },
  },
  parity: {
    quantities: [2, 3, 4],
    weight: 3,
    ask(quantities, order) {
      const { total, lines } = addUp(order);
      const answer = total % 2 === 0 ? 'even' : 'odd';
      return {
        text: `Is ${sumOf(quantities)} even or odd?`,
        conclusion: [...lines, `${total} is ${answer}.`],
        answer,
        options: ['even', 'odd'],
      };
    },
  },
  remainder: {
    quantities: [2, 3, 4],
    weight: 2,
    ask(quantities, order) {
      const { total, lines } = addUp(order);
      const answer = String(total % 3);
      return {
        text: `What remains of ${sumOf(quantities)} divided by 3?`,
        conclusion: [...lines, `${total} % 3 = ${answer}.`],
        answer,
        options: ['0', '1', '2'],
      };
    },
  },
  /** The limit is the sum or one below it, so that every misread value may turn the answer. */
  comparison: {
    quantities: [2, 3, 4],
    weight: 2,
    ask(quantities, order, draws) {
      const { total, lines } = addUp(order);
      const limit = total - draws.below(2);
      const isMore = total > limit;
      return {
        text: `Is ${sumOf(quantities)} more than ${limit}?`,
        conclusion: [...lines, `${total} ${isMore ? '>' : '='} ${limit}.`],
        answer: isMore ? 'yes' : 'no',
        options: ['yes', 'no'],
      };
    },
  },
};
