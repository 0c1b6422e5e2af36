// Where the pictures of a conversation stand: the marks `<image>`, `<image_1>`, `<image 1>` in its texts.
import { type Place, refuse } from './refuse.js';

const MARK = /<image(?:[ _]?(\d+))?>/g;
const PLAIN = '<image>';

/**
 * The texts with one `<image>` for each picture, in the order of the pictures; without any where the marks only stand in
 * front of the first text or behind it, as pictures come first by themselves.
 * @throws UserError where there are marks, and not as many as pictures
 */
export function settleMarks<T>(
  texts: readonly string[],
  pictures: readonly T[],
  at: Place,
  field: string,
): { readonly texts: readonly string[]; readonly pictures: readonly T[] } {
  const [only = ''] = texts;
  // By far the most common: one mark, in front, for one picture.
  if (texts.length === 1 && pictures.length === 1 && only.startsWith(PLAIN) && only.indexOf('<image', 1) < 0)
    return { texts: [only.slice(PLAIN.length).trimStart()], pictures };
  const marks = texts.flatMap((text) => [...text.matchAll(MARK)].map(([, number]) => number));
  if (marks.length === 0) return { texts, pictures };
  const numbers = [...new Set(marks.filter((number) => number !== undefined))];
  const wanted = marks.filter((number) => number === undefined).length + numbers.length;
  if (wanted !== pictures.length) {
    const mark = numbers.length > 0 ? `<image ${numbers[0]}>` : '<image>';
    refuse(at, field, `${pictures.length}`, `${wanted}, one for each ${mark} in the texts`);
  }
  const plain = placed(texts, numbers);
  const [first = '', ...rest] = plain.texts;
  const bare = withoutMarksAround(first);
  const inside = [bare, ...rest].some((text) => text.includes(PLAIN));
  return { texts: inside ? plain.texts : [bare, ...rest], pictures: plain.order.map((i) => pictures[i] as T) };
}

/** Without the marks in front of a text, or else those in lines of their own behind it. No pattern: these take long on hostile white space. */
function withoutMarksAround(text: string): string {
  let bare = text.trimStart();
  if (bare.startsWith(PLAIN)) {
    while (bare.startsWith(PLAIN)) bare = bare.slice(PLAIN.length).trimStart();
    return bare;
  }
  const whole = text.trimEnd();
  bare = whole;
  while (bare.endsWith(PLAIN)) bare = bare.slice(0, -PLAIN.length).trimEnd();
  const between = whole.slice(bare.length, whole.indexOf(PLAIN, bare.length));
  return between.includes('\n') ? bare : text;
}

/** Numbers decide which picture a mark means, where all marks have one; a second mention of a picture becomes words. */
function placed(texts: readonly string[], numbers: readonly string[]): { texts: string[]; order: number[] } {
  const ranks = [...numbers].sort((a, b) => Number(a) - Number(b));
  const seen = new Set<string>();
  const order: number[] = [];
  const replaced = texts.map((text) =>
    text.replace(MARK, (_, number?: string) => {
      if (number === undefined) order.push(order.length);
      else if (seen.has(number)) return `image ${number}`;
      else order.push(ranks.indexOf(number));
      if (number !== undefined) seen.add(number);
      return PLAIN;
    }),
  );
  const mixed = new Set(order).size < order.length;
  return { texts: replaced, order: mixed ? order.map((_, i) => i) : order };
}
