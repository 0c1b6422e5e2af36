// Problems of each iteration with all their responses: what was sampled, how it was scored, what was selected.

import { iterationName, titleOf } from '../../../evolve/phases.js';
import { html, type Markup } from '../../../page/html.js';
import { note, type Section, section } from '../../../page/parts.js';
import type { ResponseRow, Tables } from '../../../record/tables.js';
import { problemCards, truthsOf } from '../cards.js';
import { type Pick, pickProblems } from '../pick.js';
import { fileOf, type RunData } from '../read.js';

/** Problems shown of each iteration. */
const EACH = 8;

interface Shown {
  readonly title: string;
  readonly temperature: number;
  readonly picks: readonly Pick[];
  readonly rows: readonly ResponseRow[];
}

export async function samples(run: RunData, tables: Tables): Promise<Section> {
  const all: Shown[] = [];
  for (const { iteration, temperature } of run.iterations) {
    const phase = iterationName(iteration);
    const file = fileOf(run, `rollouts/${phase}.parquet`);
    if (!file) continue;
    const picks = pickProblems(await tables.problemStats(file), EACH);
    const rows = await tables.responses(
      file,
      picks.map(({ problem }) => problem),
    );
    all.push({ title: titleOf(phase), temperature, picks, rows });
  }
  if (all.length === 0)
    return section(['samples', 'Samples'], 'Sample problems', note('No iteration has left its responses yet.'));
  const rows = all.flatMap((shown) => shown.rows);
  const truths = await truthsOf(run, rows);
  const parts: Markup[] = [];
  for (const [i, { title, temperature, picks, rows: own }] of all.entries()) {
    const cards = await problemCards(run, picks, own, truths);
    const open = i === all.length - 1 && html` open`;
    const summary = html`<summary><h3>${title}</h3> sampled at temperature ${temperature}</summary>`;
    parts.push(html`<details class="iteration"${open}>${summary}${cards}</details>`);
  }
  return section(
    ['samples', 'Samples'],
    'Sample problems',
    note(
      'Chosen for what they show, not at random. ',
      rows.some(({ reward }) => reward !== null) && `Each step carries its PRM score; ${rewardRule(run)}. `,
      truths.size > 0 && 'Steps are marked ✓ or ✗ by the true reasoning. ',
      'Only answers graded as right can be selected.',
    ),
    parts,
  );
}

/** How step scores become a reward, as part of a sentence. */
function rewardRule(run: RunData): string {
  const names: Readonly<Record<string, string>> = {
    min: 'the lowest',
    last: 'the last',
    mean: 'their mean',
    product: 'their product',
  };
  return `${names[String(run.setting('prm.aggregate'))] ?? 'the lowest'} is the reward of the response`;
}
