// findings.json, findings.md and findings.html: what the runs of all tables so far say of each finding of the paper.
import { join } from 'node:path';
import { mean } from '../../core/lists.js';
import { forestChart } from '../../page/charts/interval.js';
import { decimal, points, ranged } from '../../page/format.js';
import { html } from '../../page/html.js';
import { type Column, type Figure, figure, note, section, table } from '../../page/parts.js';
import { Tables } from '../../record/tables.js';
import { tableOf } from '../run/read.js';
import { writeDocument } from '../write.js';
import { type Decision, decide, FEWEST_SEEDS, measureName } from './findings.js';
import type { Run } from './tabulate.js';
import type { About } from './write.js';

/** A run with the folder of its tables. */
export interface FoundRun extends Run {
  readonly dir: string;
}

interface Reported extends Decision {
  /** Standard error of the difference that the test problems alone would give, were seeds of no matter; null for curves. */
  readonly floor: number | null;
}

/**
 * Writes the findings into `dir`.
 * @returns path of the Markdown file; undefined where no contrast has two seeds yet
 */
export async function writeFindings(
  dir: string,
  runs: readonly FoundRun[],
  about: Pick<About, 'command' | 'scale'>,
): Promise<string | undefined> {
  const decisions = decide(runs);
  if (decisions.length === 0) return undefined;
  const tables = await Tables.open();
  const reported: Reported[] = [];
  try {
    for (const decision of decisions) reported.push({ ...decision, floor: await floorOf(tables, decision, runs) });
  } finally {
    tables.close();
  }
  const figures = [forestOf(reported)];
  const column: Column<Reported>[] = [
    ['', ({ finding, claim }) => `(${finding}) ${claim}`],
    ['of', measureName],
    ['seeds', ({ seeds }) => String(seeds.length)],
    ['over seeds', ({ difference }) => ranged(difference, points)],
    ['pooled', ({ difference, pooled }) => (pooled ? ranged({ mean: difference.mean, ...pooled }, points) : '–')],
    ['floor', ({ floor }) => (floor === null ? '–' : points(floor).replace('+', '± '))],
    ['smallest', ({ least }) => points(least)],
    ['p, none', ({ p }) => decimal(p, 3)],
    ['p, as much', ({ pLeast }) => decimal(pLeast, 3)],
    ['verdict', ({ verdict }) => (verdict === 'undecided' ? verdict : html`<b>${verdict}</b>`)],
  ];
  const document = {
    kind: 'mstar experiment',
    title: 'What these runs say of the findings',
    sections: [
      section(
        'findings',
        'Findings',
        html`<p><code>${about.command}</code></p>`,
        table('Differences in points, positive as the finding has it', reported, column),
        note(
          `Over seeds: Student's t of the paired differences. Pooled: by the spread of single runs over all rows. Floor: the standard error that the test problems alone give. Shown: p of no difference below 0.05; refuted: p of the smallest effect that would matter, or more, below 0.05; both adjusted by Holm over the list, both from ${FEWEST_SEEDS} seeds on.`,
        ),
      ),
      section('figures', 'Figures', ...figures.map((one) => figure({ ...one, file: `${one.id}.svg` }))),
    ],
  };
  await writeDocument(dir, 'findings', document, { ...about, findings: reported }, figures);
  return join(dir, 'findings.md');
}

function forestOf(reported: readonly Reported[]): Figure {
  const rows = reported.map(({ claim, difference, pooled, verdict }) => ({
    name: claim,
    mean: difference.mean,
    ...(pooled ?? { low: difference.low, high: difference.high }),
    text: `${points(difference.mean)}, ${verdict}`,
  }));
  return { id: 'findings', title: 'Findings', chart: forestChart('points, positive as the finding has it', rows, 0) };
}

/** From the problems of which one run of a pair is right and the other wrong; of the seeds whose tables are there, for all. */
async function floorOf(
  tables: Tables,
  { row, against, of, seeds }: Decision,
  runs: readonly FoundRun[],
): Promise<number | null> {
  if (of !== 'test' || against === null) return null;
  const variances: number[] = [];
  for (const seed of seeds) {
    const [before, after] = [against, row].map((name) => {
      const { dir, summary } = runs.find((run) => run.row === name && run.seed === seed) as FoundRun;
      return tableOf(dir, `test-${Object.keys(summary.test).at(-1)}`);
    });
    // Of some runs the summary alone is left.
    if (before === undefined || after === undefined) continue;
    const { problems, won, lost } = await tables.flips(before, after);
    variances.push(((won + lost) / problems - ((won - lost) / problems) ** 2) / problems);
  }
  return variances.length > 0 ? Math.sqrt(mean(variances) / seeds.length) : null;
}
