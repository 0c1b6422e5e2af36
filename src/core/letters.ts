// Letters of choices: the first one is A.

/** Letter of choice number `place`, from 0. */
export function letterAt(place: number): string {
  return String.fromCharCode(65 + place);
}

/** Place of the choice that a capital letter names, from 0. */
export function placeOf(letter: string): number {
  return letter.charCodeAt(0) - 65;
}
