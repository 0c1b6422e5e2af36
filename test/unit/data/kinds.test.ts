import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadProblems } from '../../../src/data/problems.js';
import { removeTemporary, temporary } from '../../fakes/model-folder.js';

afterAll(removeTemporary);

test.each([
  [
    'M3CoT context',
    { id: 'a', image_id: 'a', rationale: 'r', question: 'Q', choices: ['x', 'y'], answer: 'A', context: { a: 1 } },
    'context: an object, wanted a text',
  ],
  [
    'M3CoT choice',
    { id: 'a', image_id: 'a', rationale: 'r', question: 'Q', choices: ['x', ['y']], answer: 'A' },
    'choices[1]: a list of 1, wanted a text',
  ],
  [
    'MathVista unit',
    { pid: '1', question_type: 'free_form', question: 'Q', answer_type: 'text', answer: '1', unit: ['m'] },
    'unit: a list of 1, wanted a text',
  ],
  [
    'MathVista precision',
    { pid: '1', question_type: 'free_form', question: 'Q', answer_type: 'float', answer: '1', precision: -1 },
    'precision: -1, wanted an integer from 0 to 15',
  ],
  [
    'MathVista answer type',
    { pid: '1', question_type: 'free_form', question: 'Q', answer_type: 'number', answer: '1' },
    'answer_type: "number", wanted text, integer, float, list',
  ],
  [
    'Role',
    {
      messages: [
        { role: { toString: 1 }, content: 'Q' },
        { role: 'assistant', content: 'A' },
      ],
    },
    'messages[0].role: an object, wanted system',
  ],
  [
    'Role with a name that every object has',
    {
      messages: [
        { role: 'constructor', content: 'Q' },
        { role: 'assistant', content: 'A' },
      ],
    },
    'messages[0].role: "constructor", wanted system',
  ],
  ['flat context', { question: 'Q', answer: '1', context: { a: 1 } }, 'context: an object, wanted a text'],
  ['flat choices', { question: 'Q', answer: 'x', choices: ['x', {}] }, 'choices[1]: an object, wanted a text'],
])('%s of another kind is refused, never read as the words for an object', async (_, record, message) => {
  const contents = `${JSON.stringify(record)}\n`;
  const file = join(temporary(), 'kinds.jsonl');
  writeFileSync(file, contents);
  const reading = loadProblems(file, { imageRoot: dirname(file), onMissingPicture() {} });
  await expect(reading).rejects.toThrow(`kinds.jsonl:1: ${message}`);
});
