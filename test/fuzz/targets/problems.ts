// Data sets: JSON records of each public form, and tables, with edits. What is read is well-formed, its pictures lie under the image
// root, and warnings are lines like any other message.
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import type { Problem } from '../../../src/core/types.js';
import { loadProblems } from '../../../src/data/problems.js';
import { byteEdits, editBytes, editedJson, editedRecords, text, word } from '../inputs.js';
import { accepted, checkLine, hold, target } from '../target.js';

const picture = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('a.png', 'images/b.png') },
  fc.constantFrom('link.png', 'out/x.png', '../outside.png', 'images', '/etc/passwd', 'none.png'),
);
const hint = fc.constantFrom(
  '',
  'Hint: Please answer the question requiring an integer answer and provide the final value, e.g., 1, 2, 3, at the end.\nQuestion: ',
);
const choices = fc.constantFrom('', '\nChoices:\n(A) one\n(B) two', '\nChoices:\n(A) one (B) two (C) three');
const question = fc.tuple(hint, word, choices).map((parts) => parts.join(''));
const answer = fc.constantFrom('The answer is A', 'B', 'The answer is two', '12', '0.5', 'a word', '[1, 2]');

const mathv360k = fc.record(
  {
    id: fc.oneof(word, fc.nat(9)),
    image: picture,
    conversations: fc.tuple(
      fc.record({ from: fc.constant('human'), value: question.map((found) => `<image>${found}`) }),
      fc.record({ from: fc.constant('gpt'), value: answer }),
    ),
  },
  { requiredKeys: ['image', 'conversations'] },
);
const part = fc.oneof(
  fc.record({ type: fc.constant('text'), text: word }),
  fc.record({
    type: fc.constant('image_url'),
    image_url: fc.record({ url: fc.oneof(picture, fc.constant('data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAA')) }),
  }),
);
const exchange = fc.tuple(
  fc.record({ role: fc.constant('user'), content: fc.oneof(question, fc.array(part, { minLength: 1, maxLength: 3 })) }),
  fc.record({ role: fc.constant('assistant'), content: answer }),
);
const openai = fc
  .array(exchange, { minLength: 1, maxLength: 2 })
  .chain((turns) =>
    fc.record(
      { id: word, messages: fc.constant(turns.flat()), images: fc.array(picture, { maxLength: 2 }) },
      { requiredKeys: ['messages'] },
    ),
  );
const llava = fc.record(
  {
    image: fc.oneof(picture, fc.array(picture, { maxLength: 2 })),
    conversations: fc
      .array(exchange, { minLength: 1, maxLength: 2 })
      .map((turns) =>
        turns.flat().map(({ role, content }) => ({ from: role === 'user' ? 'human' : 'gpt', value: content })),
      ),
  },
  { requiredKeys: ['conversations'] },
);
const m3cot = fc.record({
  id: word,
  image_id: word,
  rationale: word,
  question: word,
  choices: fc.array(word, { minLength: 2, maxLength: 4 }),
  answer: fc.constantFrom('A', 'B'),
  context: word,
  image: picture,
});
const mathvista = fc.dictionary(
  fc.nat(99).map(String),
  fc.record({
    pid: fc.nat(99).map(String),
    question: word,
    question_type: fc.constantFrom('multi_choice', 'free_form'),
    answer_type: fc.constantFrom('text', 'integer', 'float', 'list'),
    choices: fc.constantFrom(null, ['one', 'two']),
    answer: fc.constantFrom('one', '3', '1.5'),
    precision: fc.constantFrom(null, 1, 2),
    unit: fc.constantFrom(null, '$'),
    image: picture,
    metadata: fc.record({ source: word, skills: fc.array(word, { maxLength: 2 }) }),
  }),
  { minKeys: 1, maxKeys: 3 },
);
const flat = fc.record({ image: picture, question: word, answer });

export const problems = target<Uint8Array>({
  name: 'problems',
  cases: 1000,
  input: fc.oneof(
    ...[mathv360k, openai, llava, m3cot, flat].map((record) => editedRecords(record)),
    editedJson(mathvista),
  ),
  check: (bytes, folder) => check(join(folder, 'data.json'), bytes, folder),
});

/** Columns of three tables; cells are texts with tabs, quotes and line ends now and then. */
const tablesOf: readonly (readonly string[])[] = [
  ['index', 'image', 'question', 'A', 'B', 'answer'],
  ['index', 'image', 'question', 'hint', 'A', 'B', 'answer', 'category', 'l2-category', 'source'],
  ['index', 'image', 'question', 'answer', 'category', 'l2_category', 'bench'],
  ['id', 'image', 'question', 'answer'],
];
const base64 = Buffer.from('not a picture, but long enough to be taken for the bytes of one').toString('base64');
const cellOf = (column: string): fc.Arbitrary<string> => {
  if (column === 'index' || column === 'id') return fc.nat(9).map(String);
  if (column === 'image') return fc.constantFrom(base64, base64, '0', '1', '', 'a.png');
  if (column === 'answer') return fc.constantFrom('A', 'B', 'one', '3');
  if (column === 'question')
    return fc.oneof(
      word,
      word.map((found) => `${found} Options: A: one, B: two`),
    );
  return word;
};
const cell = (column: string): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 6, arbitrary: cellOf(column) },
    text.filter((found) => found.isWellFormed()),
  );
const table = fc.constantFrom(...tablesOf).chain((columns) =>
  fc.record({
    columns: fc.constant(columns),
    rows: fc.array(fc.tuple(...columns.map(cell)), { maxLength: 3 }),
    parquet: fc.boolean(),
    changes: byteEdits(3),
  }),
);

export const tables = target({
  name: 'tables',
  cases: 60,
  input: table,
  async check({ columns, rows, parquet, changes }, folder) {
    const file = join(folder, parquet ? 'data.parquet' : 'data.tsv');
    const quoted = (found: string): string => (/["\t\r\n]/.test(found) ? `"${found.replaceAll('"', '""')}"` : found);
    const tsv = Buffer.from([columns, ...rows].map((row) => `${row.map(quoted).join('\t')}\n`).join(''));
    await check(file, editBytes(parquet ? await parquetOf(columns, rows, folder) : tsv, changes), folder);
  },
});

async function parquetOf(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  folder: string,
): Promise<Uint8Array> {
  const { readFileSync } = await import('node:fs');
  const file = join(folder, 'made.parquet');
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  try {
    await connection.run(
      `create table t (${columns.map((name) => `"${name}" ${name === 'image' ? 'blob' : 'text'}`).join(', ')})`,
    );
    const literal = (found: string, column: string | undefined): string => {
      const hex = Buffer.from(found).toString('hex');
      return `${column === 'image' ? '' : 'decode'}(unhex('${hex}'))`;
    };
    for (const row of rows)
      await connection.run(`insert into t values (${row.map((found, i) => literal(found, columns[i])).join(', ')})`);
    await connection.run(`copy t to '${file}' (format parquet)`);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
  return readFileSync(file);
}

async function check(file: string, bytes: Uint8Array, folder: string): Promise<void> {
  const imageRoot = join(folder, 'root');
  mkdirSync(join(imageRoot, 'images'), { recursive: true });
  for (const name of ['root/a.png', 'root/images/b.png', 'outside.png']) writeFileSync(join(folder, name), 'picture');
  writeFileSync(file, bytes);
  const warnings: string[] = [];
  for (const onMissingPicture of [undefined, () => {}]) {
    const read = await accepted(file, () =>
      loadProblems(file, { imageRoot, onWarning: (line) => warnings.push(line), onMissingPicture }),
    );
    for (const line of warnings.splice(0)) checkLine(line, file);
    hold(new Set(read?.map(({ id }) => id)).size === (read?.length ?? 0), 'ids are unique');
    for (const problem of read ?? []) checkProblem(problem, `${realpathSync(imageRoot)}/`);
  }
}

function checkProblem(problem: Problem, root: string): void {
  const { id, question, answer, questionType, answerType, choices, precision, unit, source, tags, images } = problem;
  hold(typeof id === 'string' && id !== '', 'an id is a text', id);
  for (const found of [question, answer, source, unit ?? '', ...choices, ...Object.values(tags ?? {})]) {
    hold(typeof found === 'string', 'a field is a text', found);
    hold(!found.includes('[object Object]'), 'a field is no object turned into text', found);
  }
  hold(question.trim() !== '', 'there is a question', question);
  hold(
    questionType === 'multi_choice' ? choices.length > 0 : questionType === 'free_form' && choices.length === 0,
    'only multiple choice has choices',
    problem,
  );
  hold(['text', 'integer', 'float', 'list'].includes(answerType), 'an answer is of a known type', answerType);
  hold(precision === undefined || (Number.isInteger(precision) && precision >= 0), 'a precision is a count', precision);
  for (const image of images) {
    if ('path' in image) hold(image.path.startsWith(root), 'a picture lies under the image root', image.path);
    else hold(image.bytes.length > 0 && image.name !== '', 'a picture inside has bytes and a name', image.name);
  }
}
