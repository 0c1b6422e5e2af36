// Conversations for training: LLaVA / ShareGPT {conversations: [{from, value}]} with `image` or a list of them, MiniCPM-V's {role, content},
// and {messages: [{role, content}], images: [...]}. The last exchange is the problem; what was said before it stands in front of the question.
// Leaves MathV360K's one-turn records to mathv360k.ts.
import type { ImageSource, Problem } from '../../core/types.js';
import { answerForm, choiceLetter, lettersOf, missingLetter, parseQuestion, unwrapAnswer } from '../question.js';
import { type Place, refuse, shown } from '../refuse.js';
import { embeddedPicture } from './embedded.js';
import { type DataFormat, optionalText, pictureAt, type ReadContext } from './format.js';
import { readRows } from './rows.js';

type Fields = Readonly<Record<string, unknown>>;
interface Turn {
  readonly role: 'user' | 'assistant' | 'system';
  readonly text: string;
  readonly pictures: readonly string[];
}

const ROLES: Readonly<Record<string, Turn['role']>> = {
  human: 'user',
  user: 'user',
  gpt: 'assistant',
  assistant: 'assistant',
  system: 'system',
};

export const format: DataFormat = {
  name: 'messages',
  description:
    'conversations: {messages: [{role, content}], images: [...]}, LLaVA and ShareGPT {conversations}, MiniCPM-V',
  accepts: ({ kind, first }) =>
    kind === 'json' && (Array.isArray(first.messages) || Array.isArray(first.conversations)),
  async *read(file, context) {
    for await (const { value, index, line } of readRows(file)) {
      const at = { file, line };
      const paths = picturePaths(value);
      const turns = turnsOf(value, at);
      const inside = turns.flatMap(({ pictures }) => pictures);
      const all = paths.length > 0 ? paths : inside;
      const images = all.flatMap((path, i) => pictureOf(path, context, at, `images[${i}]`));
      checkMarks(turns, all.length, at);
      const id = optionalText(value, 'id') || String(index);
      yield { problem: toProblem(id, turns, images, at, context), index, at, picture: all.join('\0') };
    }
  },
};

/** A file under the image root, or the bytes of a data URI as OpenAI's clients send them. */
function pictureOf(path: string, context: ReadContext, at: Place, field: string): ImageSource[] {
  if (!path.startsWith('data:')) return pictureAt(path, context, at, field);
  const [head = '', base64 = ''] = path.split(',', 2);
  if (!head.endsWith(';base64')) refuse(at, field, shown(head), 'a data URI in base64');
  return [embeddedPicture(base64, `picture of line ${at.line}, ${field}`, at, field).source];
}

/** One path, a list, or MiniCPM-V's map from marks to paths. */
function picturePaths(value: Fields): string[] {
  const given = value.images ?? value.image;
  if (given === undefined || given === null) return [];
  if (Array.isArray(given))
    return given.map((entry) =>
      typeof entry === 'object' && entry !== null ? optionalText(entry as Fields, 'path') : String(entry),
    );
  return typeof given === 'object' ? Object.values(given).map(String) : [String(given)];
}

function turnsOf(value: Fields, at: Place): Turn[] {
  const field = Array.isArray(value.messages) ? 'messages' : 'conversations';
  const given = value[field];
  if (!Array.isArray(given)) refuse(at, field, shown(given), 'a list of turns');
  const turns = (given as unknown[]).map((turn, i): Turn => {
    const place = `${field}[${i}]`;
    if (typeof turn !== 'object' || turn === null) refuse(at, place, shown(turn), 'an object');
    const { role, from, content, value: text } = turn as Fields;
    const known = ROLES[String(role ?? from)];
    if (!known) refuse(at, `${place}.role`, shown(role ?? from), 'system, user (human) or assistant (gpt)');
    return { role: known as Turn['role'], ...contentOf(content ?? text, at, `${place}.content`) };
  });
  const last = turns.at(-1);
  if (last?.role !== 'assistant' || turns.at(-2)?.role !== 'user')
    refuse(at, field, `${turns.length} turns`, 'a question of the user and its answer at the end');
  return turns;
}

/** A text, or OpenAI's parts of text and image_url. */
function contentOf(content: unknown, at: Place, field: string): Pick<Turn, 'text' | 'pictures'> {
  if (typeof content === 'string') return { text: content, pictures: [] };
  if (!Array.isArray(content)) refuse(at, field, shown(content), 'a text or a list of parts');
  const texts: string[] = [];
  const pictures: string[] = [];
  for (const [i, part] of (content as Fields[]).entries()) {
    if (part?.type === 'text') texts.push(optionalText(part, 'text'));
    else if (part?.type === 'image_url' || part?.type === 'image') {
      const url = part.image_url ?? part.image;
      pictures.push(typeof url === 'object' && url !== null ? optionalText(url as Fields, 'url') : String(url));
    } else refuse(at, `${field}[${i}].type`, shown(part?.type), 'text or image_url');
  }
  return { text: texts.join('\n'), pictures };
}

/** Where pictures are marked in the texts, there must be one for each mark. */
function checkMarks(turns: readonly Turn[], images: number, at: Place): void {
  const marks = turns.reduce((sum, { text }) => sum + (text.match(/<image(?:_\d+)?>/g)?.length ?? 0), 0);
  if (marks > 0 && marks !== images) refuse(at, 'images', `${images}`, `${marks}, one for each <image> in the texts`);
}

function toProblem(
  id: string,
  turns: readonly Turn[],
  images: readonly ImageSource[],
  at: Place,
  context: ReadContext,
): Problem {
  const asked = turns.at(-2) as Turn;
  const bare = (text: string): string => text.replaceAll(/<image(?:_\d+)?>[ \t]*\n?/g, '').trim();
  const before = turns.slice(0, -2).map(({ role, text }) => `${role}: ${bare(text)}\n`);
  const { text, choices, unit, hinted } = parseQuestion(bare(asked.text));
  if (text === '') refuse(at, 'messages', 'no text', 'a question');
  const answer = unwrapAnswer((turns.at(-1) as Turn).text);
  if (answer === '') refuse(at, 'messages', 'no text', 'an answer');
  if (missingLetter(answer, choices)) refuse(at, 'messages', `the answer ${shown(answer)}`, lettersOf(choices));
  const letter = choices.length > 0 ? choiceLetter(answer, choices) : null;
  if (choices.length > 0 && letter === null)
    context.onWarning(`${at.file}:${at.line}: answer: ${shown(answer)}, wanted one of the ${choices.length} choices`);
  const { answerType, precision } =
    choices.length > 0 ? { answerType: 'text' as const, precision: undefined } : (hinted ?? answerForm(answer));
  return {
    id,
    question: before.join('') + text,
    images,
    answer: letter ?? answer,
    questionType: choices.length > 0 ? 'multi_choice' : 'free_form',
    answerType,
    choices,
    precision,
    unit,
    source: '',
  };
}
