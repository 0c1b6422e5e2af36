// MMBench: TSV with options in the columns A, B, C, D; a picture is base64, or the index of another row that holds it.
// The tag `group` says which rows are rotations of one question.
import { ROTATION } from '../../core/letters.js';
import { embeddedPicture } from '../pictures.js';
import { optionalText, refuse, shown, tagsOf, textOf } from '../refuse.js';
import { answerLetter, choiceReading, type DataFormat, lettered, withOptions } from './format.js';
import { type Row, readRows } from './rows.js';

/** A cell as short as this is an index, not a picture. */
const LONGEST_INDEX = 64;

export const format: DataFormat = {
  name: 'mmbench',
  description: 'MMBench: MMBench_*.tsv, options in columns, pictures as base64 or by the index of another row',
  accepts: ({ kind, first }) => kind === 'tsv' && 'l2-category' in first && 'A' in first,
  official: true,
  async *read(file) {
    const pictures = new Map<string, ReturnType<typeof embeddedPicture>>();
    const waiting: Row[] = [];
    // A row may refer to one further down: such rows are read when all pictures are known, in their places.
    for await (const row of readRows(file)) {
      const cell = optionalText(row.value, 'image', row.at);
      if (cell.length > LONGEST_INDEX)
        pictures.set(textOf(row.value, 'index', row.at), embeddedPicture(cell, row.at, 'image'));
      waiting.push({
        ...row,
        value: { ...row.value, image: cell.length > LONGEST_INDEX ? optionalText(row.value, 'index', row.at) : cell },
      });
    }
    for (const row of waiting) {
      const { value, at } = row;
      const id = textOf(value, 'index', at);
      const picture = pictures.get(textOf(value, 'image', at).trim());
      if (!picture) refuse(at, 'image', shown(value.image), 'base64, or the index of a row with a picture');
      const choices = lettered(value, at);
      if (choices.length < 2) refuse(at, 'B', 'empty', 'two options or more');
      const answer = optionalText(value, 'answer', at).trim();
      // Tables that pandas wrote have `nan` where there is no hint, and the official code reads it so.
      const hint = optionalText(value, 'hint', at);
      yield choiceReading(row, picture, {
        id,
        question: withOptions(textOf(value, 'question', at), choices, /^\s*nan\s*$/i.test(hint) ? '' : hint),
        choices,
        // The answers of the test split are hidden.
        answer: answer === '' ? '' : answerLetter(answer, choices, at),
        source: optionalText(value, 'source', at),
        tags: { ...tagsOf(value, ['category', 'l2-category', 'split'], at), group: String(Number(id) % ROTATION) },
      });
    }
  },
};
