// Test problems that the last checkpoint answers differently from the first: some that it won, some that it lost.

import { titleOf } from '../../../evolve/phases.js';
import { html, type Markup, type Part } from '../../../page/html.js';
import { fold, note, type Section, section } from '../../../page/parts.js';
import type { Tables } from '../../../record/tables.js';
import { problemCards, truthsOf } from '../cards.js';
import { fileOf, type RunData } from '../read.js';

/** Problems shown of each kind. */
const EACH = 3;

/** Null where two checkpoints have not left their responses. */
export async function changes(run: RunData, tables: Tables): Promise<Section | null> {
  const { tests } = run;
  const from = tests.find(({ at }) => at === 'warmup') ?? tests[0];
  const to = tests.at(-1);
  if (!from || !to || from === to) return null;
  const [before, after] = [from, to].map(({ at }) => fileOf(run, `rollouts/test-${at}.parquet`));
  if (!before || !after) return null;
  const won = await tables.flipped(before, after, true, EACH);
  const lost = await tables.flipped(before, after, false, EACH);
  const ids = [...won, ...lost];
  const rows = [...(await tables.responses(before, ids)), ...(await tables.responses(after, ids))];
  const truths = await truthsOf(run, rows);
  const by = [titleOf(from.at), titleOf(to.at)];
  const cards = (problems: readonly string[], why: string): Promise<Markup[]> =>
    problemCards(
      run,
      problems.map((problem) => ({ problem, why })),
      rows,
      truths,
      by,
    );
  const part = async (title: string, problems: readonly string[], why: string): Promise<Part> =>
    problems.length === 0 ? note(`No problem was ${why}.`) : fold(html`<b>${title}</b>`, await cards(problems, why));
  return section(
    ['changes', 'Changes'],
    'What changed on the test',
    note(
      `Greedy answers of ${by.join(' and ')} to the same problem: the first ones of the test that were won and lost.`,
    ),
    await part('Won', won, 'won'),
    await part('Lost', lost, 'lost'),
  );
}
