// Which names an axis shows and in which of its rows: a word is moved down where it would run into another, a number
// left out. Pure.

/** Of a letter in the font of an axis, in pixels; and the least room between two names. */
const LETTER = 6.6;
const ROOM = 5;
const ROWS = 3;

/**
 * @param names at equal distances over `width` pixels, each in the middle of its part
 * @returns the row of each name from 0 down, null for those left out: numbers that tell themselves from their neighbours,
 *   and words only where no row has room
 */
export function tickRows(names: readonly string[], width: number): (number | null)[] {
  const part = width / names.length;
  const span = (i: number): readonly [number, number] => {
    const half = ((names[i] as string).length * LETTER + ROOM) / 2;
    return [(i + 0.5) * part - half, (i + 0.5) * part + half];
  };
  const rows = names.map((): number | null => null);
  const free = (i: number, row: number): boolean =>
    names.every((_, other) => rows[other] !== row || span(other)[0] >= span(i)[1] || span(other)[1] <= span(i)[0]);
  const isNumber = (name: string): boolean => /^[\d.]+$/.test(name);
  const order = (which: (name: string) => boolean): number[] => names.flatMap((name, i) => (which(name) ? [i] : []));
  for (const i of order((name) => !isNumber(name))) {
    const row = Array.from({ length: ROWS }, (_, one) => one).find((one) => free(i, one));
    rows[i] = row ?? null;
  }
  const numbers = order(isNumber);
  const widest = Math.max(0, ...numbers.map((i) => span(i)[1] - span(i)[0]));
  const stride = Math.max(1, Math.ceil(widest / part));
  for (const [place, i] of numbers.entries()) if (place % stride === 0 && free(i, 0)) rows[i] = 0;
  return rows;
}
