// Translates the regular expressions of a tokenizer.json, written for Oniguruma, into JavaScript's.
// Leaves splitting to text-steps.ts. What the two dialects may read differently is refused, not guessed.
//
// Letters and digits are those of the running Node.js's Unicode. The reference's may be older: it takes characters that
// were assigned since for neither, so only texts with such characters may be split differently.

/** What may stand at a place of an expression, and its translation; without one it is kept. */
type Rule = readonly [RegExp, ((found: string) => string)?];

const shorthands: Readonly<Record<string, string>> = {
  '\\s': '\\p{White_Space}',
  '\\S': '\\P{White_Space}',
  '\\d': '\\p{Nd}',
  '\\D': '\\P{Nd}',
};
/** Characters beyond ASCII that fold to one letter. */
const folded: Readonly<Record<string, string>> = { s: '\u017f', k: '\u212a' };

/** `meant`: JavaScript lets only signs with a meaning be escaped. */
const escapes = (meant: RegExp): readonly Rule[] => [
  [/\\[pP]\{[A-Z][a-z]?\}|\\[rnt]/y],
  [/\\[sSdD]/y, (found) => shorthands[found] as string],
  [/\\[^A-Za-z0-9\s]/uy, (found) => (meant.test(found.slice(1)) ? found : found.slice(1))],
];
const inClass: readonly Rule[] = [...escapes(/[\\^$.*+?()[\]{}|/-]/), [/[^[\]\\&]/uy]];
const outside: readonly Rule[] = [
  ...escapes(/[\\^$.*+?()[\]{}|/]/),
  [/\[\^?(?:[^[\]\\&]|\\.)+\]/uy, characterClass],
  // Letters that a single ligature folds to are left out, like all but ASCII. (Under the flag i, s itself would be among
  // what is not ASCII: U+017F folds to it.)
  [/\(\?i:(?:(?![sS][sStT]|[fF][fFiIlL])[^()[\]{}\\*+?.^$\x80-\u{10ffff}])*\)/uy, anyCase],
  [/\(\?[:=!]|\((?!\?)|[)|]/y],
  // One quantifier after another means different things.
  [/(?:[*+?]|\{\d+(?:,\d*)?\})(?![*+?{])/y],
  [/[^()[\]{}\\*+?.^$|]/uy],
];

/** The same expression for JavaScript, global and by code points. Throws SyntaxError whose message is what was wanted. */
export function splitPattern(pattern: string): RegExp {
  return new RegExp(translate(pattern, outside), 'gu');
}

function translate(pattern: string, rules: readonly Rule[]): string {
  let translated = '';
  for (let at = 0; at < pattern.length; ) {
    const found = firstOf(rules, pattern, at);
    if (!found) throw new SyntaxError(`an expression without what stands at its character ${at + 1}`);
    translated += found.translated;
    at += found.length;
  }
  return translated;
}

function firstOf(
  rules: readonly Rule[],
  pattern: string,
  at: number,
): { length: number; translated: string } | undefined {
  for (const [expression, write] of rules) {
    expression.lastIndex = at;
    const found = expression.exec(pattern)?.[0];
    if (found !== undefined) return { length: found.length, translated: write ? write(found) : found };
  }
  return undefined;
}

function characterClass(found: string): string {
  const start = found.startsWith('[^') ? 2 : 1;
  return `${found.slice(0, start)}${translate(found.slice(start, -1), inClass)}]`;
}

function anyCase(found: string): string {
  const letter = (character: string): string => {
    const lower = character.toLowerCase();
    return `[${lower}${lower.toUpperCase()}${folded[lower] ?? ''}]`;
  };
  return `(?:${found.slice('(?i:'.length, -1).replace(/[a-z]/gi, letter)})`;
}
