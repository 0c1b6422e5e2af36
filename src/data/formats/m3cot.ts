// M3CoT: Parquet with pictures inside, or JSON lines beside a folder of pictures named by the problems' ids.
// Leaves scoring to the protocols.
import { refuse, shown } from '../refuse.js';
import { embeddedPicture, hasPicture } from './embedded.js';
import {
  answerLetter,
  choiceProblem,
  type DataFormat,
  optionalText,
  type ReadContext,
  tagsOf,
  textOf,
  withChoices,
} from './format.js';
import { readRows } from './rows.js';

const EXTENSIONS = ['png', 'jpg', 'jpeg', 'webp'];

export const format: DataFormat = {
  name: 'm3cot',
  description: 'M3CoT: test-*.parquet with pictures inside, or JSON lines beside images/<id>.png',
  accepts: ({ first }) => 'image_id' in first && 'rationale' in first && 'choices' in first,
  async *read(file, context) {
    for await (const { value, index, line } of readRows(file)) {
      const at = { file, line };
      const id = textOf(value, 'id', at);
      if (!Array.isArray(value.choices) || value.choices.length < 2)
        refuse(at, 'choices', shown(value.choices), 'a list of choices');
      const choices = (value.choices as unknown[]).map(String);
      const setting = optionalText(value, 'context').trim();
      const question = textOf(value, 'question', at);
      const inside = hasPicture(value.image) ? embeddedPicture(value.image, id, at, 'image') : undefined;
      const image = inside?.source ?? beside(id, context);
      const problem = choiceProblem({
        id,
        question: withChoices(setting === '' ? question : `${setting}\n${question}`, choices),
        images: image ? [image] : [],
        choices,
        answer: answerLetter(textOf(value, 'answer', at), choices, at),
        source: optionalText(value, 'category'),
        tags: tagsOf(value, ['domain', 'topic', 'category', 'split']),
      });
      if (!image) context.onWarning(`${file}:${line}: image: none inside or at images/${id}.*, read without a picture`);
      yield { problem, index, at, picture: inside?.key ?? id };
    }
  },
};

function beside(id: string, { pictures }: ReadContext): { readonly path: string } | undefined {
  for (const extension of EXTENSIONS) {
    const path = pictures.resolve(`images/${id}.${extension}`);
    if (typeof path === 'string') return { path };
  }
  return undefined;
}
