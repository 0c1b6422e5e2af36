// Small pieces of text handling that every answer reader shares. Leaves LaTeX to latex.ts and numbers to number.ts.

/** Longest text that is graded; of a longer one the end is read, as answers stand there. UTF-16 units. */
export const MAX_GRADED_LENGTH = 65_536;

/** Lower case, one space between words, no quotes or emphasis, no punctuation or article at the ends. */
export function plainText(text: string): string {
  const words = text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/["'`*“”‘’]/g, '')
    .replace(/\s+/g, ' ')
    .trim();
  return stripEnds(words).replace(/^(?:the|a|an) (?=\S)/, '');
}

/** Drops punctuation and spaces at both ends. */
function stripEnds(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && '.,;:!? '.includes(text[start] as string)) start++;
  while (end > start && '.,;:!? '.includes(text[end - 1] as string)) end--;
  return text.slice(start, end);
}

/** Start of the last occurrence of `words` in `text` that is not part of a longer word; -1 where there is none. */
export function lastWholeWords(text: string, words: string): number {
  if (words === '') return -1;
  for (let at = text.lastIndexOf(words); at >= 0; at = at === 0 ? -1 : text.lastIndexOf(words, at - 1)) {
    const inWord = isWord(text[at - 1]) && isWord(words[0]);
    if (!inWord && !(isWord(text[at + words.length]) && isWord(words.at(-1)))) return at;
  }
  return -1;
}

function isWord(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}]/u.test(character);
}
