// AI2D: Parquet (options as a list, the answer as an index) or TSV (options in columns, the answer as a letter). Files
// with and without masked labels look the same and give different numbers.
import { embeddedPicture, hasPicture } from '../pictures.js';
import { refuse, shown } from '../refuse.js';
import {
  answerLetter,
  choiceProblem,
  type DataFormat,
  letterAt,
  lettered,
  optionalText,
  textOf,
  textsOf,
  withOptions,
} from './format.js';
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
    for await (const { value, index, at } of readRows(file)) {
      const id = optionalText(value, 'index', at) || String(index);
      const listed = Array.isArray(value.options);
      const choices = listed ? textsOf(value.options as unknown[], at, 'options') : lettered(value, at);
      if (choices.length < 2) refuse(at, 'options', shown(value.options), 'two options or more');
      const given = textOf(value, 'answer', at);
      const picture = embeddedPicture(value.image, at, 'image');
      const problem = choiceProblem({
        id,
        question: withOptions(textOf(value, 'question', at), choices, ''),
        images: [picture.source],
        choices,
        answer: answerLetter(listed && /^\d$/.test(given) ? letterAt(Number(given)) : given, choices, at),
        source: 'AI2D',
        tags: {},
      });
      yield { problem, index, at, picture: picture.key };
    }
  },
};
