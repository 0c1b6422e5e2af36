// Small pieces of text handling that every answer reader shares.

/** Longest text that is graded; of a longer one the end is read, as answers stand there. UTF-16 units. */
export const MAX_GRADED_LENGTH = 65_536;

/** Lower case, one space between words, no quotes or emphasis, no punctuation or article at the ends; `P.M.` is `pm`, `2 to 1` `2:1`. */
export function plainText(text: string): string {
  return plainCased(text.toLowerCase());
}

/** The same with its case kept. */
export function plainCased(text: string): string {
  const words = plainInitials(text.normalize('NFKC'))
    .replace(/["'`*“”‘’]/g, '')
    .replace(/\s+/g, ' ')
    .trim();
  return stripEnds(words)
    .replace(/^(?:[Tt]he|[Aa]n?) (?=\S)/, '')
    .replace(/^(\d{1,15}) ?(?:to|:) ?(?=\d{1,15}$)/, '$1:');
}

/** Initials without their stops, and no space between a time and `am` or `pm`. */
export function plainInitials(text: string): string {
  return text
    .replace(/\.(?=[A-Za-z](?![A-Za-z]))(?<=(?<![A-Za-z])[A-Za-z]\.)/g, '')
    .replace(/(\d) ?([AaPp][Mm])(?![A-Za-z])\.?/g, (_, digit: string, half: string) => digit + half.toLowerCase());
}

/** Drops punctuation and spaces at both ends. */
function stripEnds(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && '.,;:!? '.includes(text[start] as string)) start++;
  while (end > start && '.,;:!? '.includes(text[end - 1] as string)) end--;
  return text.slice(start, end);
}

/** True where the part of a text from `start` to `end` is not part of a longer word; CJK text has no spaces between words. */
export function isWholeWord(text: string, start: number, end: number): boolean {
  const inWord = isWord(text[start - 1]) && isWord(text[start]);
  return !inWord && !(isWord(text[end]) && isWord(text[end - 1]));
}

function isWord(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}]/u.test(character) && !/[\u3040-\u30ff\u4e00-\u9fff]/.test(character);
}
