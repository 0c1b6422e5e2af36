// AI2D: Parquet (options as a list, the answer as an index) or TSV (options in columns, the answer as a letter). Files
// with and without masked labels look the same and give different numbers.
import { letterAt } from '../../core/letters.js';
import { embeddedPicture, hasPicture } from '../pictures.js';
import { optionalText, refuse, shown, textOf, textsOf } from '../refuse.js';
import { answerLetter, choiceReading, type DataFormat, lettered, withOptions } from './format.js';
import { readRows } from './rows.js';

/** Other tables have options and answers as well, and pictures, but not these columns alone. */
const COLUMNS = ['index', 'id', 'question', 'options', 'answer', 'image'];

export const format: DataFormat = {
  name: 'ai2d',
  description: 'AI2D: test-*.parquet (answer as an index) or AI2D_TEST*.tsv (answer as a letter)',
  accepts: ({ kind, first }) =>
    hasPicture(first.image) &&
    ((kind === 'parquet' && Object.keys(first).every((name) => COLUMNS.includes(name)) && 'options' in first) ||
      (kind === 'tsv' && 'A' in first && 'answer' in first && !('category' in first || 'l2-category' in first))),
  official: true,
  async *read(file) {
    for await (const row of readRows(file)) {
      const { value, index, at } = row;
      const listed = Array.isArray(value.options);
      const choices = listed ? textsOf(value.options as unknown[], at, 'options') : lettered(value, at);
      if (choices.length < 2) refuse(at, 'options', shown(value.options), 'two options or more');
      const given = textOf(value, 'answer', at);
      yield choiceReading(row, embeddedPicture(value.image, at, 'image'), {
        id: optionalText(value, 'index', at) || String(index),
        question: withOptions(textOf(value, 'question', at), choices, ''),
        choices,
        answer: answerLetter(listed && /^\d$/.test(given) ? letterAt(Number(given)) : given, choices, at),
        source: 'AI2D',
        tags: {},
      });
    }
  },
};
