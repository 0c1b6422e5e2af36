// Finding given strings in a text.

/** Length of the longest of `strings` that stands at a place of a text; 0 where none does. */
export function longestAt(strings: Iterable<string>): (text: string, at: number) => number {
  const all = new Set(strings);
  // By their first unit, the longest first.
  const lengths = new Map<string, Set<number>>();
  for (const { length, 0: first } of [...all].sort((a, b) => b.length - a.length))
    lengths.set(first as string, (lengths.get(first as string) ?? new Set()).add(length));
  return (text, at) => {
    for (const length of lengths.get(text[at] as string) ?? []) if (all.has(text.slice(at, at + length))) return length;
    return 0;
  };
}

/** Start and end of each of `strings` in a text: leftmost, the longest first. */
export function findAny(strings: Iterable<string>): (text: string) => Iterable<readonly [number, number]> {
  const lengthAt = longestAt(strings);
  return function* (text) {
    for (let at = 0; at < text.length; ) {
      const length = lengthAt(text, at);
      if (length > 0) yield [at, at + length];
      at += length || 1;
    }
  };
}
