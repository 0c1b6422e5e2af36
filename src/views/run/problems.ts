// Problems of a run to look at, with their responses: of each iteration those that tell most about it, and those that the
// last checkpoint answers differently from the first.
import { dirname, join } from 'node:path';
import { UserError } from '../../core/errors.js';
import { openProblems } from '../../data/problems.js';
import { iterationName, titleOf } from '../../evolve/phases.js';
import { html, type Markup, type Part } from '../../page/html.js';
import { fold, note, type Section, section } from '../../page/parts.js';
import { embedPictures } from '../../page/pictures.js';
import type { ProblemStats, ResponseRow, Tables } from '../../record/tables.js';
import { problemCard } from './card.js';
import { type RunData, tableOf } from './read.js';

/** Problems of each iteration with all their responses: what was sampled, how it was scored, what was selected. */
export async function samples(run: RunData, tables: Tables): Promise<Section> {
  const each = 8;
  const all: { phase: string; temperature: number; picks: Pick[]; rows: ResponseRow[] }[] = [];
  for (const { iteration, temperature } of run.iterations) {
    const phase = iterationName(iteration);
    const file = tableOf(run.dir, phase);
    if (!file) continue;
    const picks = pickProblems(await tables.problemStats(file), each);
    const ids = picks.map(({ problem }) => problem);
    all.push({ phase, temperature, picks, rows: await tables.responses(file, ids) });
  }
  const head = [['samples', 'Samples'], 'Sample problems'] as const;
  if (all.length === 0) return section(...head, note('No iteration has left its responses yet.'));
  const rows = all.flatMap((shown) => shown.rows);
  const truths = await truthsOf(run, rows);
  const parts: Markup[] = [];
  for (const [i, { phase, temperature, picks, rows: own }] of all.entries()) {
    const cards = await problemCards(run, picks, own, truths);
    const open = i === all.length - 1 && html` open`;
    const summary = html`<summary><h3>${titleOf(phase)}</h3> sampled at temperature ${temperature}</summary>`;
    parts.push(html`<details class="iteration"${open}>${summary}${cards}</details>`);
  }
  const rules: Readonly<Record<string, string>> = { last: 'the last', mean: 'their mean', product: 'their product' };
  const rule = rules[String(run.setting('prm.aggregate'))] ?? 'the lowest';
  return section(
    ...head,
    note(
      'Chosen for what they show, not at random. ',
      rows.some(({ reward }) => reward !== null) &&
        `Each step carries its PRM score; ${rule} is the reward of the response. `,
      truths.size > 0 && 'Steps are marked ✓ or ✗ by the true reasoning. ',
      'Only answers graded as right can be selected.',
    ),
    parts,
  );
}

/** Test problems that the last checkpoint won and lost; null where two checkpoints have not left their responses. */
export async function changes(run: RunData, tables: Tables): Promise<Section | null> {
  const each = 3;
  const { tests } = run;
  const from = tests.find(({ at }) => at === 'warmup') ?? tests[0];
  const to = tests.at(-1);
  if (!from || !to || from === to) return null;
  const [before, after] = [from, to].map(({ at }) => tableOf(run.dir, `test-${at}`));
  if (!before || !after) return null;
  const won = await tables.flipped(before, after, true, each);
  const lost = await tables.flipped(before, after, false, each);
  const ids = [...won, ...lost];
  const rows = [...(await tables.responses(before, ids)), ...(await tables.responses(after, ids))];
  const truths = await truthsOf(run, rows);
  const by = [titleOf(from.at), titleOf(to.at)];
  const part = async (title: string, problems: readonly string[], why: string): Promise<Part> => {
    if (problems.length === 0) return note(`No problem was ${why}.`);
    const picks = problems.map((problem) => ({ problem, why }));
    return fold(html`<b>${title}</b>`, await problemCards(run, picks, rows, truths, by));
  };
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

/**
 * One card for each of `picks` that has rows.
 * @param by who gave each row of a problem, where that is not one model
 */
export async function problemCards(
  { dir }: { readonly dir: string },
  picks: readonly Pick[],
  rows: readonly ResponseRow[],
  truths: ReadonlyMap<string, readonly string[]>,
  by?: readonly string[],
): Promise<Markup[]> {
  const cards: Markup[] = [];
  for (const { problem, why } of picks) {
    const own = rows.filter((row) => row.problem === problem);
    const [first] = own;
    if (!first) continue;
    const pictures = await embedPictures(
      dir,
      first.images.map((path) => ({ path })),
    );
    cards.push(problemCard({ problem, why, rows: own, by, pictures, truth: truths.get(problem) ?? [] }));
  }
  return cards;
}

/**
 * True steps by problem, of those in some rows that are generated; none, without a look at the data set, where the rows say
 * that there are none, and where the data set is gone or has changed.
 */
async function truthsOf(run: RunData, rows: readonly ResponseRow[]): Promise<Map<string, readonly string[]>> {
  const wanted = new Set(rows.filter(({ lucky }) => lucky !== null).map(({ problem }) => problem));
  const truths = new Map<string, readonly string[]>();
  if (wanted.size === 0) return truths;
  const [file, root] = [run.setting('data.file'), run.setting('data.imageRoot')];
  const given = typeof file === 'string';
  const path = given ? file : join(run.dir, 'problems', 'problems.json');
  const imageRoot = !given ? join(run.dir, 'problems', 'data_images') : typeof root === 'string' ? root : dirname(path);
  try {
    for await (const { id, truth } of openProblems(path, { imageRoot, onMissingPicture: () => {} })) {
      if (wanted.delete(id) && truth) truths.set(id, truth.steps);
      if (wanted.size === 0) break;
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
  return truths;
}

/** A problem to show and, in a few words, why. */
interface Pick {
  readonly problem: string;
  readonly why: string;
}

/** What makes a problem worth a look, and which one most: larger weights come first, else the order of the file. */
interface Rule {
  readonly why: string;
  fits(stats: ProblemStats): boolean;
  weight?(stats: ProblemStats): number;
}

const kept = ({ soundReward, refusedLuckyReward }: ProblemStats): number =>
  (soundReward ?? 0) - (refusedLuckyReward ?? 0);

/** In order; each gives at most one problem that no earlier rule took. */
const RULES: readonly Rule[] = [
  {
    why: 'kept a right chain, refused a lucky one',
    fits: (one) =>
      one.soundReward !== null && one.refusedLuckyReward !== null && one.luckySelected === 0 && kept(one) > 0,
    weight: kept,
  },
  {
    why: 'fooled: kept a lucky chain, refused a right one',
    fits: ({ luckySelected, soundRefused }) => luckySelected > 0 && soundRefused > 0,
    weight: ({ luckySelected, soundRefused }) => luckySelected * 1000 + soundRefused,
  },
  {
    why: 'multiple choice, some right and some wrong',
    fits: ({ multipleChoice, correct, responses }) => multipleChoice && correct > 0 && correct < responses,
    weight: ({ correct, responses }) => Math.min(correct, responses - correct),
  },
  { why: 'a single right response', fits: ({ correct, responses }) => correct === 1 && responses > 1 },
  { why: 'all wrong', fits: ({ correct, responses }) => correct === 0 && responses > 0 },
  { why: 'all right', fits: ({ correct, responses }) => responses > 0 && correct === responses },
  {
    why: 'some responses cut off or unreadable',
    fits: ({ unfinished }) => unfinished > 0,
    weight: ({ unfinished }) => unfinished,
  },
  { why: 'could not be sampled', fits: ({ error }) => error },
];

/** At most `most` problems: one for each rule that fits any, then others as they come. */
export function pickProblems(problems: readonly ProblemStats[], most: number): Pick[] {
  const picked = new Map<string, string>();
  const free = (): ProblemStats[] => problems.filter(({ problem }) => !picked.has(problem));
  for (const { why, fits, weight = () => 0 } of RULES) {
    const fitting = free().filter(fits);
    if (fitting.length === 0 || picked.size >= most) continue;
    const best = fitting.reduce((a, b) => (weight(b) > weight(a) ? b : a));
    picked.set(best.problem, why);
  }
  for (const { problem } of free().slice(0, Math.max(0, most - picked.size))) picked.set(problem, 'as it came');
  return [...picked].map(([problem, why]) => ({ problem, why }));
}
