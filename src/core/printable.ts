// Text from outside (data, models, run folders, servers) on its way to a terminal, which takes some characters for
// commands.

/** Controls, direction marks and what no font has; not the two joiners, which belong to the spelling of words and emoji. */
const UNSEEN = /(?![\u200c\u200d])\p{C}/gu;
/** Those that JSON leaves in its strings. */
const UNSEEN_IN_JSON = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** One line of it, with such characters written out as `\u{1b}`. */
export function printable(text: string): string {
  return text.replace(UNSEEN, (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`);
}

/** A value as JSON with such characters as JSON writes them, on one line where no indent is given. */
export function printableJson(value: unknown, indent?: number): string {
  const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return (JSON.stringify(value, null, indent) ?? 'null').replace(UNSEEN_IN_JSON, escaped);
}

/** A value from a file as JSON of at most 200 characters. */
export function shown(value: unknown): string {
  let text: string;
  try {
    text = JSON.stringify(value) ?? 'missing';
  } catch {
    return 'a value of too many levels';
  }
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
}
