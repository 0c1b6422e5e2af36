// The known name that a misspelt one most likely means: for verbs, flags and settings.

/** Undefined where no name is near: one that begins with the misspelt one, or begins it, or has few letters changed. */
export function nearestName(misspelt: string, known: readonly string[]): string | undefined {
  const wanted = misspelt.toLowerCase();
  const most = wanted.length < 3 ? 0 : Math.max(2, wanted.length / 3);
  let best: { name: string; distance: number } | undefined;
  for (const name of known) {
    const other = name.toLowerCase();
    const begins = Math.min(wanted.length, other.length) >= 3 && (other.startsWith(wanted) || wanted.startsWith(other));
    const distance = editDistance(wanted, other);
    if (!begins && (distance > most || distance >= Math.max(wanted.length, other.length))) continue;
    // A name that was cut short or lengthened counts as one letter changed, however long the rest is.
    const far = begins ? Math.min(1, distance) : distance;
    if (best === undefined || far < best.distance) best = { name, distance: far };
  }
  return best?.name;
}

/** Letters to change, add or take away, two swapped neighbours counting as one. */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
          ? (before[j - 2] as number) + 1
          : Number.POSITIVE_INFINITY;
      next.push(Math.min(replaced, swapped, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    before = row;
    row = next;
  }
  return row[b.length] as number;
}
