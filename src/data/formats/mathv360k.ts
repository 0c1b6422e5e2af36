// MathV360K: a JSON list or JSON lines of {image, conversations: [human, gpt]} with the query text of MathVista.
// Leaves the fields of a record to math-record.ts and the texts to question.ts. LLaVA files of one turn are read the same way.
import type { Problem } from '../../core/types.js';
import { checkRecord, type MathRecord } from '../math-record.js';
import {
  type AnswerForm,
  answerForm,
  choiceLetter,
  lettersOf,
  missingLetter,
  parseQuestion,
  unwrapAnswer,
} from '../question.js';
import { readRecords } from '../records.js';
import { message, type Place, refuse, shown } from '../refuse.js';
import { type DataFormat, pictureAt, type ReadContext } from './format.js';

/** The answer of a multiple-choice question is a letter, whatever its hint line says. */
const CHOICE_FORM: AnswerForm = { answerType: 'text' };

export const format: DataFormat = {
  name: 'mathv360k',
  description: 'MathV360K and one-turn LLaVA files: JSON of {image, conversations: [{from: human}, {from: gpt}]}',
  accepts: ({ kind, first }) =>
    kind === 'json' &&
    'conversations' in first &&
    typeof first.image === 'string' &&
    !severalTurns(first.conversations),
  async *read(file, context) {
    for await (const { index, line, value } of readRecords(file)) {
      const at = { file, line };
      const record = checkRecord(value, at);
      const problem = toProblem(record.id ?? String(index), record, context, at);
      yield { problem, index, at, picture: record.image };
    }
  },
};

/** Of a conversation; a broken one is this format's to refuse. */
function severalTurns(conversations: unknown): boolean {
  return Array.isArray(conversations) && conversations.length > 2;
}

function toProblem(id: string, record: MathRecord, context: ReadContext, at: Place): Problem {
  const images = pictureAt(record.image, context, at, 'image');
  const { text, choices, unit, hinted } = parseQuestion(record.question);
  if (text === '') refuse(at, 'conversations[0].value', 'no text', 'a question');
  const answer = unwrapAnswer(record.answer);
  if (answer === '') refuse(at, 'conversations[1].value', shown(record.answer), 'an answer');
  const multiChoice = choices.length > 0;
  if (missingLetter(answer, choices)) refuse(at, 'conversations[1].value', shown(answer), lettersOf(choices));
  const letter = multiChoice ? choiceLetter(answer, choices) : null;
  if (multiChoice && letter === null) {
    context.onWarning(message(at, 'answer', shown(answer), `one of the ${choices.length} choices`));
  }
  const { answerType, precision } = multiChoice ? CHOICE_FORM : (hinted ?? answerForm(answer));
  return {
    id,
    question: text,
    images,
    answer: letter ?? answer,
    questionType: multiChoice ? 'multi_choice' : 'free_form',
    answerType,
    choices,
    precision,
    unit,
    source: record.truth?.family ?? (record.image.includes('/') ? (record.image.split('/')[0] as string) : ''),
    truth: record.truth,
  };
}
