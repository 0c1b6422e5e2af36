// One spelling for signs that Unicode has many of: full-width letters, superscripts, vulgar fractions, spaces, dashes,
// CJK stops. Text in ASCII comes back as it is.

const SUPERSCRIPTS = /[\u00b2\u00b3\u00b9\u2070-\u207e]+/g;
const FRACTION_AFTER_DIGIT = /(?<=\d) ?(?=[\u00bc-\u00be\u2150-\u215e])/g;

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
const SIGN = /[\u2044\u2010\u2011\u2018\u2019\u3001\u3002]/g;

/** Signs that show nothing: joiners, selectors of emoji and the box around a key. */
const INVISIBLE = /[\u00ad\u200b-\u200f\u2060\ufeff]|[\ufe0e\ufe0f]|\u20e3/g;

/** The text in compatibility form (NFKC), where `10⁶` becomes `10^{6}`, `2½` `2 1/2` and a CJK full stop a full stop. */
export function unify(text: string): string {
  if (isAscii(text)) return text;
  return text
    .replace(SUPERSCRIPTS, (run) => (run.length === 1 ? `^${run}` : `^{${run}}`))
    .replace(FRACTION_AFTER_DIGIT, ' ')
    .normalize('NFKC')
    .replace(INVISIBLE, '')
    .replace(SIGN, (sign) => SIGNS[sign] as string);
}

export function isAscii(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
  return !/[^\u0000-\u007f]/.test(text);
}
