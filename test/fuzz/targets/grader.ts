// The grader: a verdict for any response, the same one again, whatever white space stands around it; a right answer in any of the
// usual forms is correct and another number is wrong.
import fc, { type Arbitrary } from 'fast-check';
import type { Grade } from '../../../src/core/types.js';
import { type Gradable, grade } from '../../../src/reward/answer/grade.js';
import { text, word } from '../inputs.js';
import { hold, holdEqual, target } from '../target.js';

const signs = [
  ...[
    '\\boxed{',
    '}',
    '{',
    '(',
    ')',
    '[',
    ']',
    '\\left(',
    '\\right)',
    '\\frac',
    '\\frac{',
    '\\sqrt',
    '\\sqrt{',
    '\\sqrt[3]{',
    '\\text{',
    '\\mathrm{',
    '$',
    '\\(',
    '\\)',
    '\\[',
  ],
  ...[
    '+',
    '-',
    '*',
    '/',
    '^',
    '_',
    '=',
    '<',
    '>',
    '\\le',
    '\\ne',
    '!',
    '|',
    ',',
    ';',
    ':',
    '.',
    '%',
    '\u221a',
    '\u00b1',
    '\\pm',
    '\\pi',
    '\u03c0',
    '\\cdot',
    '\u00d7',
    '\u2264',
    '\u2260',
    '\\cup',
    '\\infty',
  ],
  ...[
    '0',
    '1',
    '2',
    '12',
    '3.5',
    '1,000',
    '1e9',
    '\u00bd',
    '\u00b2',
    '\uff11',
    '\u4e09',
    'x',
    'y',
    'e',
    'i',
    'sin',
    'log',
    'one',
    'half',
    'million',
    'negative',
    'and',
    'or',
    'to',
    'not',
  ],
  ...[
    'A',
    'B',
    '(A)',
    '(B)',
    'A.',
    'yes',
    'no',
    'The answer is ',
    'answer: ',
    'Final answer',
    '#### ',
    '**',
    '\n',
    ' ',
    'Step 1:',
    '<think>',
    '</think>',
    '<answer>',
    '</answer>',
    '\u7b54\u6848\u662f',
    '. ',
  ],
];
const sign = fc.constantFrom(...signs);
const sequence = fc
  .array(fc.oneof({ weight: 8, arbitrary: sign }, word, text), { maxLength: 12 })
  .map((parts) => parts.join(''));
/** How often a piece stands: few times, or as many as a response has room for. */
const times = fc.oneof(fc.nat(40), { weight: 2, arbitrary: fc.nat(4500) }, fc.nat(30_000));
/** One piece again and again: what takes time or stack that the length does not explain. */
const repeated = fc
  .tuple(sequence, fc.array(sign, { minLength: 1, maxLength: 3 }), times, sequence)
  .map(([before, unit, count, after]) => before + unit.join('').repeat(count) + after);
const pairs = [
  ['(', ')'],
  ['{', '}'],
  ['[', ']'],
  ['|', '|'],
  ['\\{1, ', '\\}'],
  ['\\boxed{', '}'],
  ['\\left(', '\\right)'],
  ['\\sqrt{', '}'],
  ['\\frac{1}{', '}'],
  ['\\frac{', '}{2}'],
  ['\\text{', '}'],
  ['\u221a', ''],
  ['-', ''],
  ['2^', ''],
  ['2^{', '}'],
  ['sin ', ''],
  ['', '!'],
  ['', '^2'],
  ['1/', ''],
  ['x+', ''],
  ['<think>', '</think>'],
] as const;
/** One inside the other, closed or not. */
const nested = fc
  .tuple(fc.constantFrom(...pairs), times, fc.constantFrom('5', 'x', '1, 2', '', '5!'), fc.boolean())
  .map(([[open, close], count, core, isClosed]) => open.repeat(count) + core + (isClosed ? close.repeat(count) : ''));
const frames = [
  ['\\boxed{', '}'],
  ['\\boxed{', ''],
  ['The answer is ', '.'],
  ['$', '$'],
  ['', ''],
] as const;
const hostile = fc
  .tuple(fc.constantFrom(...frames), fc.oneof(repeated, nested))
  .map(([[before, after], inside]) => before + inside + after);

/** Any response. */
export const response: Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: sequence },
  { weight: 3, arbitrary: hostile },
  text,
);

const choiceTexts = fc.uniqueArray(
  fc.constantFrom(
    'one',
    'two',
    'blue',
    'green',
    '5',
    '12',
    '5\\sqrt{3}',
    '(2,1)',
    '2 : 1',
    'yes',
    'no',
    '30\u00b0',
    '10:30 pm',
    '$3.50',
    '',
  ),
  { minLength: 2, maxLength: 4 },
);
const free = { questionType: 'free_form' as const, choices: [] };
const problem: Arbitrary<Gradable> = fc.oneof(
  fc
    .record({
      answerType: fc.constantFrom(
        'text' as const,
        'integer' as const,
        'float' as const,
        'list' as const,
        'expression' as const,
        'expression' as const,
      ),
      answer: fc.oneof(fc.constantFrom('5', 'x+1', '\\sqrt{2}', '\\{1, 2\\}', '(0, 1]', 'cat', '[1, 2]'), response),
      precision: fc.option(fc.nat(4), { nil: undefined }),
      question: fc.option(sequence, { nil: undefined }),
    })
    .map((given) => ({ ...free, ...given })),
  choiceTexts.map((choices) => ({
    questionType: 'multi_choice' as const,
    answerType: 'text' as const,
    choices,
    answer: 'A',
  })),
);

/** Forms in which a response states its answer. */
const statements: readonly ((answer: string) => string)[] = [
  (answer) => answer,
  (answer) => `The answer is ${answer}.`,
  (answer) => `Step 1: Look at the picture.\nStep 2: Count.\nThe answer is ${answer}`,
  (answer) => `So we get $\\boxed{${answer}}$.`,
  (answer) => `<think>Is it 7? No.</think>\nThe answer is ${answer}.`,
  (answer) => `Answer: ${answer}`,
  (answer) => `**Answer:** ${answer}`,
];
const statement = fc.nat(statements.length - 1);
const state = (which: number, answer: string): string => (statements[which] as (answer: string) => string)(answer);

const integer = fc.integer({ min: -99_999, max: 99_999 });
const decimals = fc
  .tuple(fc.integer({ min: -9999, max: 9999 }), fc.integer({ min: 1, max: 2 }))
  .map(([value, precision]) => ({ value: (value / 10 ** precision).toFixed(precision), precision }));
/** Problems with an answer that is clear, and whether what is stated is that answer. */
const clear = fc.oneof(
  fc.tuple(integer, integer).map(([right, other]) => ({
    problem: { ...free, answerType: 'integer' as const, answer: String(right) },
    right: String(right),
    wrong: right === other ? undefined : String(other),
  })),
  decimals.map(({ value, precision }) => ({
    problem: { ...free, answerType: 'float' as const, answer: value, precision },
    right: value,
    wrong: String(Number(value) + 1),
  })),
  fc.array(fc.nat(99), { minLength: 1, maxLength: 4 }).map((list) => ({
    problem: { ...free, answerType: 'list' as const, answer: `[${list.join(', ')}]` },
    right: `[${list.join(', ')}]`,
    wrong: `[${[...list, 1].join(', ')}]`,
  })),
  fc.tuple(fc.integer({ min: 1, max: 99 }), fc.integer({ min: 2, max: 99 })).map(([over, under]) => ({
    problem: { ...free, answerType: 'expression' as const, answer: `\\frac{${over}}{${under}}` },
    right: `\\frac{${over}}{${under}}`,
    wrong: `\\frac{${over + 1}}{${under}}`,
  })),
  fc
    .constantFrom('\\sqrt{2}', '2\\pi', 'x^2+1', '(1,2)', '3\\sqrt{5}', '\\frac{\\sqrt{3}}{2}')
    .map((answer) => ({ problem: { ...free, answerType: 'expression' as const, answer }, right: answer, wrong: '17' })),
  fc
    .constantFrom('cat', 'triangle', 'blue', 'north', 'oak tree')
    .map((answer) => ({ problem: { ...free, answerType: 'text' as const, answer }, right: answer, wrong: 'zebra' })),
  fc
    .tuple(fc.uniqueArray(fc.constantFrom('blue', 'green', 'red', 'black'), { minLength: 2, maxLength: 4 }), fc.nat(3))
    .map(([choices, at]) => {
      const right = String.fromCharCode(65 + (at % choices.length));
      return {
        problem: { questionType: 'multi_choice' as const, answerType: 'text' as const, choices, answer: right },
        right,
        wrong: right === 'A' ? 'B' : 'A',
      };
    }),
);

interface Input {
  readonly problem: Gradable;
  readonly response: string;
  readonly wanted?: Grade['verdict'];
}

const stated: Arbitrary<Input> = fc
  .tuple(clear, statement, fc.boolean())
  .map(([{ problem, right, wrong }, which, isRight]) =>
    isRight || wrong === undefined
      ? { problem, response: state(which, right), wanted: 'correct' as const }
      : { problem, response: state(which, wrong), wanted: 'wrong' as const },
  );
const space = fc.constantFrom('', ' ', '\n', '  \n', '\t');

export const grader = target({
  name: 'grader',
  cases: 2500,
  input: fc.record({
    given: fc.oneof(
      { weight: 3, arbitrary: fc.record({ problem, response }) as Arbitrary<Input> },
      { weight: 2, arbitrary: stated },
    ),
    before: space,
    after: space,
  }),
  check({ given: { problem, response, wanted }, before, after }) {
    const found = grade(problem, response);
    checkGrade(found);
    holdEqual(grade(problem, response), found, 'the same response has the same grade');
    const { verdict, normalised } = grade(problem, before + response + after);
    // Of a response over the limit only the end is read, which white space moves.
    if (response.length < 65_000)
      holdEqual(
        { verdict, normalised },
        { verdict: found.verdict, normalised: found.normalised },
        'white space around a response changes nothing',
      );
    if (wanted) holdEqual(found.verdict, wanted, 'an answer that is stated clearly has its verdict');
  },
});

export function checkGrade({ verdict, extracted, normalised, reason }: Grade): void {
  hold(['correct', 'wrong', 'unreadable'].includes(verdict), 'a verdict is one of three', verdict);
  hold((extracted === null) === (verdict === 'unreadable'), 'what is read is extracted', [verdict, extracted]);
  hold(normalised === null || typeof normalised === 'string', 'a normal form is a text', normalised);
  hold(typeof reason === 'string' && reason !== '', 'a grade has its reason', reason);
}
