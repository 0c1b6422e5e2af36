// Rows of files to grade, with edits: what is read is well-formed, and no protocol stumbles over it.
import { join } from 'node:path';
import fc from 'fast-check';
import { readRow, recordedVerdict } from '../../../src/grade/row.js';
import { protocols } from '../../../src/reward/protocol/registry.js';
import { editJson, edits, parsed, text, word } from '../inputs.js';
import { accepted, hold, target } from '../target.js';
import { checkGrade, response } from './grader.js';

const row = fc.record(
  {
    id: fc.oneof(word, fc.nat(9)),
    task_format: fc.constantFrom('mathvista', 'm3cot', 'mmstar', 'mmbench', 'ai2d', 'mathv360k', 'math_text', 'other'),
    subsource: fc.constantFrom('GeoQA+', 'ScienceQA', 'TabMWP', ''),
    question: word,
    question_type: fc.constantFrom('multi_choice', 'free_form', null),
    answer_type: fc.constantFrom('text', 'integer', 'float', 'list', 'expression', null),
    choices: fc.option(fc.array(fc.oneof(word, text), { minLength: 1, maxLength: 4 })),
    precision: fc.option(fc.nat(3)),
    unit: fc.option(word),
    answer: fc.oneof(fc.constantFrom('A', 'B', '12', '0.5', '\\frac{1}{2}', '[1, 2]', 'yes'), word, text),
    answer_letter: fc.constantFrom('A', 'B', null),
    response,
    extraction: fc.option(text),
    official_verdict: fc.boolean(),
  },
  { requiredKeys: ['id', 'answer', 'response'] },
);

export const rows = target<string>({
  name: 'rows',
  cases: 1500,
  input: fc.tuple(row, edits).map(([value, changes]) => editJson(value, changes)),
  async check(json, folder) {
    const file = join(folder, 'rows.jsonl');
    const record = parsed(json);
    if (!record) return;
    const read = await accepted(file, () => readRow(record.value, { file, line: 1 }));
    if (!read) return;
    hold(typeof read.id === 'string' && read.id !== '', 'an id is a text', read.id);
    hold(
      [read.answer, read.response, ...read.choices].every((found) => typeof found === 'string'),
      'answer, response and choices are texts',
    );
    hold([true, false, null].includes(recordedVerdict(record.value)), 'a recorded verdict is one');
    for (const protocol of protocols.values()) checkGrade(protocol.grade(read));
  },
});
