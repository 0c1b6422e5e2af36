// Graded answers a second on one core: made-up chains of thought for each kind of answer, and the recorded answers of ../shared/conformance
// where they are present, by the mstar and the official protocol; the longest time for one hostile megabyte. Reading the file is not counted.
// `npm run bench -- grade [--save]`.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { readRow } from '../dist/grade/row.js';
import { protocols } from '../dist/library/grade.js';
import { median, root, save } from './lib/workload.mjs';

const PASSES = 5;
const reasoning =
  'The first bar shows 12 units and the second one 30. Their sum is 12 + 30 = 42.\nNow compare it with the line above.\n';

/** One row for each kind of answer; 8 sentences of reasoning before the answer, about 900 characters. */
function madeUp() {
  const row = (id, fields, end) => ({
    id,
    precision: null,
    choices: null,
    question: 'How many units are there?',
    ...fields,
    response: reasoning.repeat(8) + end,
  });
  return [
    row(
      'choice',
      { question_type: 'multi_choice', answer_type: 'text', choices: ['40', '42', '44'], answer: 'B' },
      'The answer is (B) 42.',
    ),
    row(
      'choice text',
      { question_type: 'multi_choice', answer_type: 'text', choices: ['red', 'blue'], answer: 'B' },
      'So the bar is blue.',
    ),
    row('integer', { question_type: 'free_form', answer_type: 'integer', answer: '42' }, 'The answer is 42.'),
    row(
      'no phrase',
      { question_type: 'free_form', answer_type: 'integer', answer: '42' },
      'There are forty-two units in all.',
    ),
    row(
      'float',
      { question_type: 'free_form', answer_type: 'float', precision: 2, answer: '0.33' },
      '\\boxed{\\frac{1}{3}}',
    ),
    row('list', { question_type: 'free_form', answer_type: 'list', answer: '[1, 2]' }, 'The answer is [1, 2].'),
    row(
      'expression',
      { question_type: 'free_form', answer_type: 'expression', answer: '$(x+1)^2$' },
      'The answer is $\\boxed{x^2+2x+1}$.',
    ),
    row(
      'interval',
      { question_type: 'free_form', answer_type: 'expression', answer: '$(-\\infty,2]$' },
      'So $x \\le 2$.',
    ),
  ];
}

/** Answers a second over about a second of work for each pass; the median pass. */
function rate(rows, protocol) {
  const once = () => rows.forEach((row) => void protocol.grade(row));
  const timed = (times) => {
    const began = performance.now();
    for (let i = 0; i < times; i++) once();
    return (performance.now() - began) / 1000;
  };
  // Warm first: the compiler settles in the first half second, and a cold estimate would make the passes too short.
  let warm = 0;
  for (const began = performance.now(); performance.now() - began < 500; warm++) once();
  const times = Math.max(1, warm);
  return Math.round((rows.length * times) / median(Array.from({ length: PASSES }, () => timed(times))));
}

const read = (records, file) => records.map((record, i) => readRow(record, { file, line: i + 1 }));

function recorded() {
  const folder = path.join(root, '../shared/conformance');
  if (!existsSync(folder)) console.log(`${folder} is absent: only made-up answers are timed`);
  const names = [
    'mathvista',
    'mathvista_r1',
    'm3cot',
    'mmstar',
    'mmbench_circular',
    'tabmwp',
    'scienceqa',
    'geoqa',
    'math_text',
    'equiv_pairs',
  ];
  return names
    .filter((name) => existsSync(path.join(folder, `${name}.jsonl`)))
    .map((name) => {
      const lines = readFileSync(path.join(folder, `${name}.jsonl`), 'utf8')
        .trim()
        .split('\n');
      return [
        name,
        read(
          lines.map((line) => JSON.parse(line)),
          name,
        ),
      ];
    });
}

/** Milliseconds for one response of a megabyte, the slowest of hostile forms and kinds of answers. */
function hostile() {
  const length = 1 << 20;
  const texts = ['9', '{', '\\boxed{', '(A) ', '1,', 'a. ', ' = ', '-', '.', 'the answer is ', '\\frac'].map((piece) =>
    piece.repeat(Math.ceil(length / piece.length)),
  );
  let slowest = 0;
  for (const row of read(madeUp(), 'made up'))
    for (const response of texts)
      for (const protocol of protocols.values()) {
        const began = performance.now();
        protocol.grade({ ...row, response });
        slowest = Math.max(slowest, performance.now() - began);
      }
  return Number(slowest.toFixed(1));
}

const rates = (rows) => ({
  responses: rows.length,
  meanCharacters: Math.round(rows.reduce((sum, { response }) => sum + response.length, 0) / rows.length),
  mstar: rate(rows, protocols.get('mstar')),
  official: rate(rows, protocols.get('official')),
});
save('grade', {
  unit: 'graded answers a second, one thread',
  madeUp: rates(read(madeUp(), 'made up')),
  recorded: Object.fromEntries(recorded().map(([name, rows]) => [name, rates(rows)])),
  slowestMegabyteMs: hostile(),
});
