// Cards of some problems: their rows brought together with their pictures and their true reasoning.
import type { Markup } from '../../page/html.js';
import { embedPicture } from '../../page/pictures.js';
import type { ResponseRow } from '../../record/tables.js';
import type { Pick } from './pick.js';
import type { RunData } from './read.js';
import { problemCard } from './response.js';
import { readTruths } from './truths.js';

export type Truths = ReadonlyMap<string, readonly string[]>;

/** The true steps of all problems in some rows; none without a look at the data set where the rows say that there are none. */
export async function truthsOf(run: RunData, rows: readonly ResponseRow[]): Promise<Truths> {
  const generated = new Set(rows.filter(({ lucky }) => lucky !== null).map(({ problem }) => problem));
  return generated.size > 0 ? readTruths(run, generated) : new Map();
}

/**
 * One card for each of `picks` that has rows.
 * @param by who gave each row of a problem, where that is not one model
 */
export async function problemCards(
  { dir }: RunData,
  picks: readonly Pick[],
  rows: readonly ResponseRow[],
  truths: Truths,
  by?: readonly string[],
): Promise<Markup[]> {
  const cards: Markup[] = [];
  for (const { problem, why } of picks) {
    const own = rows.filter((row) => row.problem === problem);
    const [first] = own;
    if (!first) continue;
    const pictures = await Promise.all(first.images.map((image) => embedPicture(dir, image)));
    const found = pictures.filter((picture) => picture !== undefined);
    cards.push(problemCard({ problem, why, rows: own, by, pictures: found, truth: truths.get(problem) ?? [] }));
  }
  return cards;
}
