// M3CoT: Parquet with pictures inside, or JSON lines beside a folder of pictures named by the problems' ids.
import { embeddedPicture, hasPicture, missingPicture, type Picture } from '../pictures.js';
import { optionalText, type Place, refuse, shown, tagsOf, textOf, textsOf } from '../refuse.js';
import { answerLetter, choiceReading, type DataFormat, type ReadContext, withChoices } from './format.js';
import { readRows } from './rows.js';

export const format: DataFormat = {
  name: 'm3cot',
  description: 'M3CoT: test-*.parquet with pictures inside, or JSON lines beside images/<id>.png',
  accepts: ({ first }) => 'image_id' in first && 'rationale' in first && 'choices' in first,
  official: true,
  async *read(file, context) {
    for await (const row of readRows(file)) {
      const { value, at } = row;
      const id = textOf(value, 'id', at);
      if (!Array.isArray(value.choices) || value.choices.length < 2)
        refuse(at, 'choices', shown(value.choices), 'a list of choices');
      const choices = textsOf(value.choices as unknown[], at, 'choices');
      const setting = optionalText(value, 'context', at).trim();
      const question = textOf(value, 'question', at);
      const picture = hasPicture(value.image) ? embeddedPicture(value.image, at, 'image') : beside(id, context, at);
      yield choiceReading(row, picture, {
        id,
        question: withChoices(setting === '' ? question : `${setting}\n${question}`, choices),
        choices,
        answer: answerLetter(textOf(value, 'answer', at), choices, at),
        source: optionalText(value, 'category', at),
        tags: tagsOf(value, ['domain', 'topic', 'category', 'split'], at),
      });
    }
  },
};

function beside(id: string, context: ReadContext, at: Place): Picture {
  for (const extension of ['png', 'jpg', 'jpeg', 'webp']) {
    const path = context.pictures.resolve(`images/${id}.${extension}`);
    if (typeof path === 'string') return { source: { path }, key: id };
  }
  const why = { found: 'no such file', wanted: 'a picture in the row, or beside the file' };
  return missingPicture(`images/${id}.png`, why, context, at, 'image');
}
