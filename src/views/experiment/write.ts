// The files of an experiment: NAME.json with every number, NAME.md and NAME.html to read, NAME-*.svg as figures.
import { join } from 'node:path';
import { titleOf } from '../../evolve/phases.js';
import type { Estimate } from '../../measure/seeds.js';
import { standaloneSvg } from '../../page/charts/standalone.js';
import { type Document, toHtmlPage, toMarkdownFile } from '../../page/document.js';
import { count, decimal, duration, percent, points, ranged } from '../../page/format.js';
import { html, type Markup, type Part } from '../../page/html.js';
import { figure, grid, note, section, table } from '../../page/parts.js';
import { writeDurable } from '../../run/durable.js';
import { type Change, CURVES, changesOf, curvesOf } from './curves.js';
import { curveFigures, type FigureFile, tableFigures } from './figures.js';
import type { Plan } from './plans.js';
import { type ExperimentTable, MEASURES, type MeasureName, type Run, tabulate } from './tabulate.js';

export interface About {
  /** The line that makes the files again. */
  readonly command: string;
  readonly scale: string;
  /** What the rows have in common, as `name: value`. */
  readonly settings: readonly string[];
}

/**
 * Writes the files of one plan into `dir`.
 * @returns path of the Markdown file; undefined where no seed has all rows yet
 */
export async function writeExperiment(
  dir: string,
  plan: Plan,
  runs: readonly Run[],
  about: About,
): Promise<string | undefined> {
  const tabulated = tabulate(plan, runs);
  if (tabulated.seeds.length === 0) return undefined;
  const whole = runs.filter(
    ({ seed, row }) => tabulated.seeds.includes(seed) && plan.rows.some((one) => one.row === row),
  );
  const curves = curvesOf(plan, whole);
  const changes = changesOf(plan, whole);
  const { followed = false } = plan;
  const figures = followed ? [...curveFigures(plan, curves), ...tableFigures(tabulated)] : tableFigures(tabulated);
  const { plan: _, ...numbers } = tabulated;
  const json = { experiment: plan.name, title: plan.title, ...about, reference: plan.reference, ...numbers };
  const more = followed ? { curves, changes, decisions: decisionsOf(whole) } : { thresholds: thresholdsOf(whole) };
  await writeDurable(join(dir, `${plan.name}.json`), `${JSON.stringify({ ...json, ...more }, null, 1)}\n`);
  for (const one of figures) await writeDurable(join(dir, `${plan.name}${one.suffix}.svg`), standaloneSvg(one));
  const document = describeExperiment(tabulated, about, followed ? changes : [], whole, figures);
  await writeDurable(join(dir, `${plan.name}.html`), toHtmlPage(document));
  const path = join(dir, `${plan.name}.md`);
  await writeDurable(path, toMarkdownFile(document));
  return path;
}

function describeExperiment(
  { plan, seeds, rows, shared }: ExperimentTable,
  about: About,
  changes: readonly Change[],
  runs: readonly Run[],
  figures: readonly FigureFile[],
): Document {
  const names = (Object.keys(MEASURES) as MeasureName[]).filter((name) => rows.some((row) => row.measures[name]));
  const reference = plan.rows.find(({ row }) => row === plan.reference)?.name ?? plan.reference;
  const sharedTimes = Object.entries(shared).map(([phase, seconds]) => `${titleOf(phase)} ${duration(seconds)}`);
  const sections = [
    section(
      'results',
      'Results',
      html`<p><code>${about.command}</code></p>`,
      note(
        `${seeds.length === 1 ? 'Seed' : 'Seeds'} ${seeds.join(', ')}; mean over seeds with its 95 % interval (Student's t); ${about.settings.join('; ')}.`,
      ),
      table(
        'Accuracy',
        ['', ...names.map((name) => MEASURES[name])],
        rows.map(({ name, measures }) => [name, ...names.map((one) => ranged(measures[one]))]),
      ),
      seeds.length > 1 &&
        table(
          html`Points above <b>${reference}</b>, paired by seed`,
          ['', ...names.map((name) => MEASURES[name])],
          rows.flatMap(({ name, differences }) =>
            differences ? [[name, ...names.map((one) => difference(differences[one]))]] : [],
          ),
        ),
      table(
        'By seed, greedy on the test',
        ['', ...seeds.map((seed) => `seed ${seed}`)],
        rows.map(({ name, measures }) => [name, ...(measures.test?.values ?? []).map((value) => percent(value))]),
      ),
    ),
    section(
      'work',
      'Work',
      table(
        'Means over seeds, of the iterations and their measurements',
        ['', 'iterations', 'optimizer steps', 'responses sampled', 'examples', 'wrong chains among them', 'time'],
        rows.flatMap(({ name, work }) =>
          work
            ? [
                [
                  name,
                  decimal(work.iterations, 1),
                  count(work.steps),
                  count(work.sampled),
                  count(work.selected),
                  percent(work.lucky),
                  duration(work.seconds),
                ],
              ]
            : [],
        ),
      ),
      note(`Shared by the rows of a seed: ${sharedTimes.join(', ')}.`),
    ),
    section(
      'figures',
      'Figures',
      grid(...figures.map(({ suffix, ...one }) => figure({ ...one, file: `${plan.name}${suffix}.svg` }))),
    ),
  ];
  const decided = [thresholdsTable(runs), changesTable(plan, changes), decisionsTable(runs)].filter(
    (part) => part !== null,
  );
  if (decided.length > 0) sections.splice(1, 0, section('decisions', 'Decisions and changes', decided));
  return { kind: 'mstar experiment', title: plan.title, sections };
}

interface Threshold {
  readonly seed: number;
  readonly row: string;
  readonly chosen: number;
  readonly tied: readonly number[];
  readonly scores: readonly {
    readonly threshold: number;
    readonly selected: number;
    readonly accuracy: number | null;
  }[];
}

function thresholdsOf(runs: readonly Run[]): Threshold[] {
  return runs.flatMap(({ seed, row, summary }) => (summary.threshold ? [{ seed, row, ...summary.threshold }] : []));
}

function thresholdsTable(runs: readonly Run[]): Markup | null {
  const found = thresholdsOf(runs);
  if (found.length === 0) return null;
  return table(
    'Thresholds searched for: greedy validation accuracy after the first iteration (examples kept)',
    ['', ...(found[0] as Threshold).scores.map(({ threshold }) => String(threshold)), 'taken'],
    found.map(({ seed, scores, chosen }) => [
      `seed ${seed}`,
      ...scores.map(({ accuracy, selected }) => `${percent(accuracy)} (${count(selected)})`),
      String(chosen),
    ]),
  );
}

function changesTable(plan: Plan, changes: readonly Change[]): Markup | null {
  if (changes.length === 0) return null;
  const at = (temperature: Change['temperature']): string =>
    temperature === null ? '' : temperature === 'used' ? ', T in use' : `, T ${temperature}`;
  return table(
    'Change on validation from the warm-up to the last measurement, in points',
    ['', ...plan.rows.map(({ name }) => name), 'difference'],
    changes
      .filter(({ row }) => row === plan.reference)
      .map(({ measure, temperature }) => {
        const of = (row: string): Change | undefined =>
          changes.find((one) => one.row === row && one.measure === measure && one.temperature === temperature);
        const last = of(plan.rows.at(-1)?.row ?? '');
        return [
          `${CURVES[measure]}${at(temperature)}`,
          ...plan.rows.map(({ row }) => difference(of(row)?.change)),
          difference(last?.difference ?? undefined),
        ];
      }),
  );
}

interface Decision {
  readonly seed: number;
  readonly row: string;
  readonly iteration: number;
  readonly chosen: number;
  readonly tied: readonly number[];
  readonly scores: readonly { readonly temperature: number; readonly rewardPassAt2: number | null }[];
}

function decisionsOf(runs: readonly Run[]): Decision[] {
  return runs.flatMap(({ seed, row, summary }) =>
    summary.dynamics.flatMap(({ iteration, decision }) =>
      decision ? [{ seed, row, iteration, chosen: decision.chosen, tied: decision.tied, scores: decision.scores }] : [],
    ),
  );
}

function decisionsTable(runs: readonly Run[]): Markup | null {
  const decisions = decisionsOf(runs);
  if (decisions.length === 0) return null;
  const first = decisions[0] as Decision;
  return table(
    'Temperatures chosen, with Reward-Pass@2 of each on validation; of equals the lowest',
    ['seed, after iteration', ...first.scores.map(({ temperature }) => String(temperature)), 'tied', 'chosen'],
    decisions.map(({ seed, iteration, scores, tied, chosen }) => [
      `${seed}, ${iteration}`,
      ...scores.map(({ rewardPassAt2 }) => percent(rewardPassAt2).replace(' %', '')),
      tied.length > 1 ? tied.join(', ') : '–',
      String(chosen),
    ]),
  );
}

/** Bold where its interval leaves out zero and rests on three seeds or more: two may happen to agree. */
function difference(estimate: Estimate | undefined): Part {
  const text = ranged(estimate, points);
  const { low, high, values } = estimate ?? { low: null, high: null, values: [] };
  const apart = low !== null && high !== null && values.length > 2 && (low > 0 || high < 0);
  return apart ? html`<b>${text}</b>` : text;
}
