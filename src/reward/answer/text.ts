// Text handling that every reader of answers shares.

export function isAscii(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
  return !/[^\u0000-\u007f]/.test(text);
}

/** Signs that mean the same as others here and that NFKC keeps apart. */
const SIGNS: Readonly<Record<string, string>> = {
  '\u2044': '/',
  '\u2010': '-',
  '\u2011': '-',
  '\u2018': "'",
  '\u2019': "'",
  '\u3002': '. ',
  '\u3001': ', ',
};

/**
 * One spelling for signs that Unicode has many of: full-width letters, superscripts, vulgar fractions, spaces, dashes, CJK
 * stops. The text in compatibility form (NFKC), where `10⁶` becomes `10^{6}`, `2½` `2 1/2` and a CJK full stop a full stop.
 */
export function unify(text: string): string {
  if (isAscii(text)) return text;
  return (
    text
      .replace(/[\u00b2\u00b3\u00b9\u2070-\u207e]+/g, (run) => (run.length === 1 ? `^${run}` : `^{${run}}`))
      .replace(/(?<=\d) ?(?=[\u00bc-\u00be\u2150-\u215e])/g, ' ')
      .normalize('NFKC')
      // Signs that show nothing: joiners, selectors of emoji and the box around a key.
      .replace(/[\u00ad\u200b-\u200f\u2060\ufeff]|[\ufe0e\ufe0f]|\u20e3/g, '')
      .replace(/[\u2044\u2010\u2011\u2018\u2019\u3001\u3002]/g, (sign) => SIGNS[sign] as string)
  );
}

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
  // By hand, as a pattern for both ends takes long on hostile text.
  let [start, end] = [0, words.length];
  while (start < end && '.,;:!? '.includes(words[start] as string)) start++;
  while (end > start && '.,;:!? '.includes(words[end - 1] as string)) end--;
  return words
    .slice(start, end)
    .replace(/^(?:[Tt]he|[Aa]n?) (?=\S)/, '')
    .replace(/^(\d{1,15}) ?(?:to|:) ?(?=\d{1,15}$)/, '$1:');
}

/** Initials without their stops, and no space between a time and `am` or `pm`. */
export function plainInitials(text: string): string {
  return text
    .replace(/\.(?=[A-Za-z](?![A-Za-z]))(?<=(?<![A-Za-z])[A-Za-z]\.)/g, '')
    .replace(/(\d) ?([AaPp][Mm])(?![A-Za-z])\.?/g, (_, digit: string, half: string) => digit + half.toLowerCase());
}

/** True where the part of a text from `start` to `end` is not part of a longer word; CJK text has no spaces between words. */
export function isWholeWord(text: string, start: number, end: number): boolean {
  const isWord = (at: number): boolean =>
    /[\p{L}\p{N}]/u.test(text[at] ?? '') && !/[\u3040-\u30ff\u4e00-\u9fff]/.test(text[at] ?? '');
  return !(isWord(start - 1) && isWord(start)) && !(isWord(end) && isWord(end - 1));
}

/** Up to `length` characters of a text before `at`. */
export function textBefore(text: string, at: number, length: number): string {
  return text.slice(Math.max(0, at - length), at);
}
