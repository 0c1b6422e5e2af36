// A long curve as few points: means over equal stretches, so that a page holds thousands of optimizer steps.

/** A value at a place; null where it was not finite. */
export type CurvePoint = readonly [number, number | null];

/** At most `most` points; each is the mean of the finite values of its stretch, at the middle of it. */
export function thin(points: readonly CurvePoint[], most: number): CurvePoint[] {
  if (points.length <= most) return [...points];
  return Array.from({ length: most }, (_, i) => {
    const stretch = points.slice(Math.floor((i * points.length) / most), Math.floor(((i + 1) * points.length) / most));
    const finite = stretch.flatMap(([, y]) => y ?? []);
    const x = ((stretch[0] as CurvePoint)[0] + (stretch.at(-1) as CurvePoint)[0]) / 2;
    return [x, finite.length === 0 ? null : finite.reduce((sum, y) => sum + y, 0) / finite.length];
  });
}
