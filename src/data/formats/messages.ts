// A conversation as a problem: LLaVA and ShareGPT {conversations: [{from, value}]}, MiniCPM-V's {role, content},
// OpenAI's {messages} with parts; one turn or several, with pictures or without, each record by itself. The last
// exchange is the problem; what was said before it stands in front of the question.

import type { ProblemTruth } from '../../core/types.js';
import { askedProblem } from '../asked.js';
import { settleMarks } from '../marks.js';
import { hasPicture, isPicture, type Picture, picturesOf } from '../pictures.js';
import {
  anyText,
  checkObject,
  checkText,
  type Fields,
  MAX_ID,
  MAX_TEXT,
  optionalText,
  refuse,
  shown,
} from '../refuse.js';
import type { DataFormat, ReadContext, Reading } from './format.js';
import { type Row, readRows } from './rows.js';

interface Turn {
  readonly role: 'user' | 'assistant' | 'system';
  readonly text: string;
  /** Name of the field that holds the text. */
  readonly field: string;
  /** Of the parts of its content. */
  readonly pictures: readonly unknown[];
}

const ROLES: ReadonlyMap<unknown, Turn['role']> = new Map([
  ['human', 'user'],
  ['user', 'user'],
  ['gpt', 'assistant'],
  ['assistant', 'assistant'],
  ['system', 'system'],
]);

/** Names of the fields that hold the turns and the pictures. */
const FIELDS = {
  turns: ['messages', 'conversations', 'prompt'],
  pictures: ['images', 'image', 'image_urls', 'image_path', 'picture', 'img'],
};

export const format: DataFormat = {
  name: 'messages',
  description:
    'conversations: {messages: [{role, content}], images: [...]}, LLaVA, LLaVA-OneVision, ShareGPT, MiniCPM-V, verl',
  accepts: ({ first }) => FIELDS.turns.some((field) => Array.isArray(first[field])),
  async *read(file, context) {
    for await (const row of readRows(file)) yield new Conversation(row, context).reading();
  },
};

class Conversation {
  readonly #row: Row;
  readonly #context: ReadContext;

  constructor(row: Row, context: ReadContext) {
    this.#row = row;
    this.#context = context;
  }

  reading(): Reading {
    const { value: record, index, at } = this.#row;
    const turns = this.#turns();
    const { texts, pictures } = this.#pictures(turns);
    const [asked, answer] = turns.slice(-2) as [Turn, Turn];
    const truth = this.#truth();
    const id = record.id ?? index;
    // The data set inside a mixture: by its own word, or the first folder of the picture's path.
    const named = record.data_source ?? record.source;
    const [first] = pictures;
    const isFile = first !== undefined && !(first.source && 'bytes' in first.source);
    const folder = isFile ? first.key.slice(0, Math.max(0, first.key.indexOf('/'))) : '';
    const given = {
      id: typeof id === 'bigint' || Number.isSafeInteger(id) ? String(id) : checkText(id, at, 'id', MAX_ID),
      question: texts.at(-2) as string,
      before: turns.slice(0, -2).reduce((before, { role }, i) => `${before}${role}: ${texts[i]}\n`, ''),
      answer: answer.text,
      fields: [asked.field, answer.field] as const,
      images: pictures.flatMap(({ source }) => source ?? []),
      source: truth?.family ?? (typeof named === 'string' ? named : folder),
      truth,
    };
    return {
      problem: askedProblem(given, at, this.#context),
      index,
      at,
      picture: pictures.map(({ key }) => key).join('\0'),
      response: answer.text.trim(),
    };
  }

  #turns(): Turn[] {
    const { value: record, at } = this.#row;
    const field =
      FIELDS.turns.find((name) => Array.isArray(record[name])) ?? FIELDS.turns.find((name) => name in record);
    const given = field === undefined ? undefined : record[field];
    if (field === undefined || !Array.isArray(given))
      refuse(at, field ?? 'conversations', shown(given), 'a list of turns');
    const turns = given.map((turn, i) => this.#turn(turn, `${field}[${i}]`));
    if (turns.at(-1)?.role === 'user') {
      // Records for reinforcement learning have the answer beside the prompt.
      const { answer, reward_model: model } = record;
      const apart =
        answer ?? (typeof model === 'object' ? (model as Fields | null)?.ground_truth : undefined) ?? undefined;
      if (apart !== undefined)
        turns.push({ role: 'assistant', text: anyText(apart, at, 'answer'), field: 'answer', pictures: [] });
    }
    if (turns.at(-1)?.role !== 'assistant' || turns.at(-2)?.role !== 'user')
      refuse(at, field, `${given.length} turns`, 'a question of the user and its answer at the end');
    return turns;
  }

  #turn(given: unknown, field: string): Turn {
    const { at } = this.#row;
    const turn = checkObject(given, at, field);
    const speaker = (turn.role ?? undefined) === undefined ? 'from' : 'role';
    const role = ROLES.get(turn[speaker]);
    if (!role) refuse(at, `${field}.${speaker}`, shown(turn[speaker]), 'system, user (human) or assistant (gpt)');
    const content = (turn.content ?? undefined) === undefined ? 'value' : 'content';
    return { role, field: `${field}.${content}`, ...this.#content(turn[content], `${field}.${content}`) };
  }

  /** A text, or OpenAI's parts of text and image_url: a mark then stands for a picture. */
  #content(content: unknown, field: string): Pick<Turn, 'text' | 'pictures'> {
    const { at } = this.#row;
    if (!Array.isArray(content)) return { text: checkText(content, at, field, MAX_TEXT), pictures: [] };
    const texts: string[] = [];
    const pictures: unknown[] = [];
    for (const [i, given] of content.entries()) {
      const part = checkObject(given, at, `${field}[${i}]`);
      const picture = part.image_url ?? part.image;
      if (part.type === 'text') texts.push(optionalText(part, 'text', at));
      else if (part.type === 'image_url' || part.type === 'image') {
        texts.push('<image>');
        if (picture !== undefined && picture !== null) pictures.push(picture);
      } else refuse(at, `${field}[${i}].type`, shown(part.type), 'text or image_url');
    }
    return { text: checkText(texts.join('\n'), at, field, MAX_TEXT), pictures };
  }

  /** The pictures of a record, and the texts of its turns with marks for those that stand inside them. */
  #pictures(turns: readonly Turn[]): { readonly texts: readonly string[]; readonly pictures: readonly Picture[] } {
    const { value: record, at } = this.#row;
    const field = FIELDS.pictures.find((name) => (record[name] ?? undefined) !== undefined) ?? 'images';
    const given = record[field];
    // MiniCPM-V has a map from marks to pictures.
    const isMap =
      typeof given === 'object' &&
      given !== null &&
      !Array.isArray(given) &&
      !hasPicture(given) &&
      Object.keys(given).some((key) => key.startsWith('<'));
    const beside = picturesOf(isMap ? Object.values(given) : given, at, field, this.#context);
    const parts = turns.flatMap(({ pictures }) => pictures);
    const pictures = beside.length > 0 ? beside : picturesOf(parts, at, 'images', this.#context);
    const lost = pictures.length === 0 ? Object.keys(record).find((name) => isPicture(record[name])) : undefined;
    if (lost !== undefined)
      refuse(at, lost, 'a picture in a field that is not read', `it in ${FIELDS.pictures.join(', ')}`);
    const asking = turns.filter(({ role }) => role === 'user').map(({ text }) => text);
    const settled = settleMarks(asking, pictures, at, field);
    let next = 0;
    const texts = turns.map(({ role, text }) => (role === 'user' ? (settled.texts[next++] as string) : text).trim());
    return { texts, pictures: settled.pictures };
  }

  /** The true reasoning, which only generated problems have. */
  #truth(): ProblemTruth | undefined {
    const { value: record, at } = this.#row;
    if ((record.truth ?? undefined) === undefined) return undefined;
    const { family, steps, scene } = checkObject(record.truth, at, 'truth');
    if (!Array.isArray(steps) || steps.length === 0) refuse(at, 'truth.steps', shown(steps), 'a list of texts');
    const quantities = checkObject(scene, at, 'truth.scene');
    for (const [name, quantity] of Object.entries(quantities)) {
      if (typeof quantity === 'number' || typeof quantity === 'string') continue;
      refuse(at, `truth.scene[${shown(name)}]`, shown(quantity), 'a number or a text');
    }
    return {
      family: checkText(family, at, 'truth.family', MAX_ID),
      steps: steps.map((step, i) => checkText(step, at, `truth.steps[${i}]`, MAX_TEXT)),
      scene: quantities as Record<string, number | string>,
    };
  }
}
