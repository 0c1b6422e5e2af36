// Problems of each iteration with all their responses: what was sampled, how it was scored, what was selected.
// Leaves the choice to pick.ts and the looks of a problem to response.ts.
import { html, type Markup } from '../html.js';
import { nameOf } from '../names.js';
import { note, section } from '../parts.js';
import { type Pick, pickProblems } from '../pick.js';
import { embedPicture } from '../pictures.js';
import { fileOf, padded, type RunData } from '../read.js';
import { problemCard } from '../response.js';
import type { ResponseRow, Tables } from '../tables.js';
import { readTruths } from '../truths.js';

/** Problems shown of each iteration. */
const EACH = 8;

interface Shown {
  readonly title: string;
  readonly temperature: number;
  readonly picks: readonly Pick[];
  readonly rows: readonly ResponseRow[];
}

export async function samples(run: RunData, tables: Tables): Promise<Markup> {
  const all: Shown[] = [];
  for (const { iteration, temperature } of run.iterations) {
    const phase = `iter-${padded(iteration)}`;
    const file = fileOf(run, `rollouts/${phase}.parquet`);
    if (!file) continue;
    const picks = pickProblems(await tables.problemStats(file), EACH);
    const rows = await tables.responses(file, picks.map(({ problem }) => problem));
    all.push({ title: nameOf(phase), temperature, picks, rows });
  }
  if (all.length === 0) return section('samples', 'Sample problems', note('No iteration has left its responses yet.'));
  const rows = all.flatMap((shown) => shown.rows);
  const generated = new Set(rows.filter(({ lucky }) => lucky !== null).map(({ problem }) => problem));
  const truths = generated.size > 0 ? await readTruths(run, generated) : new Map<string, readonly string[]>();
  const parts: Markup[] = [];
  for (const [i, shown] of all.entries()) parts.push(await iterationView(run.dir, shown, truths, i === all.length - 1));
  return section(
    'samples',
    'Sample problems',
    note(
      'Chosen for what they show, not at random. Each step carries its PRM score (0 to 1; the lowest one is the reward of the response unless the settings say otherwise)',
      truths.size > 0 && ' and whether it is right by the true reasoning (✓ ✗)',
      '. Only right answers are scored and can be selected.',
    ),
    parts,
  );
}

async function iterationView(
  dir: string,
  { title, temperature, picks, rows }: Shown,
  truths: ReadonlyMap<string, readonly string[]>,
  open: boolean,
): Promise<Markup> {
  const cards: Markup[] = [];
  for (const { problem, why } of picks) {
    const own = rows.filter((row) => row.problem === problem);
    const [first] = own;
    if (!first) continue;
    const pictures = await Promise.all(first.images.map((image) => embedPicture(dir, image)));
    const found = pictures.filter((picture) => picture !== undefined);
    cards.push(problemCard({ problem, why, rows: own, pictures: found, truth: truths.get(problem) ?? [] }));
  }
  return html`<details class="iteration"${open && html` open`}><summary><h3>${title}</h3> sampled at temperature ${temperature}</summary>${cards}</details>`;
}
