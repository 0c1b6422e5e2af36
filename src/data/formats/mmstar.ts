// MMStar: Parquet (bytes or a struct of bytes) or TSV (base64), options inside the question.
import { letterAt } from '../../core/letters.js';
import { embeddedPicture } from '../pictures.js';
import { tagsOf, textOf } from '../refuse.js';
import { answerLetter, choiceReading, type DataFormat } from './format.js';
import { readRows } from './rows.js';

export const format: DataFormat = {
  name: 'mmstar',
  description: 'MMStar: mmstar.parquet or MMStar.tsv, options inside the question',
  accepts: ({ first }) => 'l2_category' in first && 'question' in first && !('A' in first),
  official: true,
  async *read(file) {
    for await (const row of readRows(file)) {
      const { value, at } = row;
      const question = textOf(value, 'question', at);
      const choices = inlineChoices(question);
      yield choiceReading(row, embeddedPicture(value.image, at, 'image'), {
        id: textOf(value, 'index', at),
        question,
        choices,
        answer: answerLetter(textOf(value, 'answer', at), choices, at),
        source: 'MMStar',
        tags: tagsOf(value, ['category', 'l2_category', 'bench'], at),
      });
    }
  },
};

/** `Options: A: ..., B: ...` at the end, or MathVista's `Choices:`; letters in order, each looked for after the one before. Else four. */
export function inlineChoices(question: string): string[] {
  const start = Math.max(question.lastIndexOf('Options:'), question.lastIndexOf('Choices:'));
  const text = start < 0 ? '' : question.slice(start + 'Options:'.length);
  const marks: { readonly from: number; readonly to: number }[] = [];
  for (let from = 0; ; ) {
    const letter = letterAt(marks.length);
    const mark = new RegExp(`(?:^|[,\\n]|\\s)\\s*(?:\\(${letter}\\)|${letter}:)\\s*`, 'g');
    mark.lastIndex = from;
    const found = mark.exec(text);
    if (!found) break;
    marks.push({ from: found.index, to: mark.lastIndex });
    from = mark.lastIndex;
  }
  if (marks.length < 2) return ['A', 'B', 'C', 'D'];
  return marks.map(({ to }, i) => text.slice(to, marks[i + 1]?.from ?? text.length).trim());
}
