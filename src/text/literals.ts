// Finding given strings in a text.
// Leaves what is done with them to the tokenizers.

/** Matches any of `strings` as its only group: leftmost, the longest first. Undefined when there are none. */
export function findAny(strings: Iterable<string>): RegExp | undefined {
  const sorted = [...strings].sort((a, b) => b.length - a.length);
  return sorted.length > 0 ? new RegExp(`(${sorted.map(literal).join('|')})`, 'g') : undefined;
}

/** A regular expression that matches exactly this text. */
function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
