// Choices of a question: their letters, the first of which is A, and the copies of a question that have them in another order.

/** Letter of choice number `place`, from 0. */
export function letterAt(place: number): string {
  return String.fromCharCode(65 + place);
}

/** Place of the choice that a capital letter names, from 0. */
export function placeOf(letter: string): number {
  return letter.charCodeAt(0) - 65;
}

/** MMBench's copies of a question with rotated choices have its index plus a multiple of this. */
export const ROTATION = 1_000_000;
