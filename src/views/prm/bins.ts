// Ten bins for scores and rewards. They are raw outputs of the head, so some lie a little outside 0..1.

/** [low, high] of each bin; the first has no lower end and the last no upper one. */
export const TENTHS = Array.from({ length: 10 }, (_, i) => [i / 10, (i + 1) / 10] as const);

/** Place of a number among the tenths: an inner edge belongs to the bin above it. */
export function tenthOf(value: number): number {
  const above = TENTHS.findIndex(([, high]) => value < high);
  return above < 0 ? TENTHS.length - 1 : above;
}

/** Below this many different labels, each has a bin of its own. */
const MOST_LABELS = 17;

/** The bins of labels: their values as they are, or tenths named by their middle. */
export function labelBinner(labels: readonly number[]): (label: number) => number {
  if (new Set(labels).size <= MOST_LABELS) return (label) => label;
  return (label) => (tenthOf(label) + 0.5) / 10;
}
