// evaluation.html: one page that stands alone, with the tables and charts of an evaluation and some wrong answers.

import type { Asked } from '../../evaluate/benchmarks/benchmark.js';
import type { Curve, Evaluation, PartRow, PartTable, SetTables, WrongAnswer } from '../../evaluate/evaluation.js';
import { UNBIASED } from '../../evaluate/tabulate.js';
import type { Interval } from '../../measure/bootstrap.js';
import type { Chart, Colour } from '../../page/charts/axes.js';
import { intervalChart } from '../../page/charts/interval.js';
import { type Line, lineChart } from '../../page/charts/line.js';
import type { Document } from '../../page/document.js';
import { count, decimal, percent, points, ranged } from '../../page/format.js';
import { html, type Markup, type Part } from '../../page/html.js';
import { type Column, figure, fold, grid, note, type Section, section, table } from '../../page/parts.js';
import { embedPictures } from '../../page/pictures.js';
import { problemCard } from '../run/card.js';

/** Curves by name, in colours that stay the same from set to set. */
const COLOURS: Readonly<Record<string, Colour>> = {
  'Pass@N': 'var(--s2)',
  [UNBIASED]: 'var(--t4)',
  majority: 'var(--s1)',
  'best-of-N': 'var(--s3)',
  'weighted vote': 'var(--t1)',
  'Reward-Pass@N': 'var(--t6)',
};
/** Where the pictures of wrong answers are. */
export interface Pictures {
  /** Folder that relative paths start from. */
  readonly folder: string;
  /** What is known of problems, by id: pictures there come before those that the tables name. */
  readonly about?: ReadonlyMap<string, Asked>;
}

export async function describeEvaluation(evaluation: Evaluation, pictures: Pictures): Promise<Document> {
  const { benchmark, sets, wrong, protocol } = evaluation;
  return {
    kind: 'mstar evaluation',
    title: benchmark?.title ?? 'Evaluation',
    sections: [
      result(evaluation),
      ...sets.map((set, i) => setSection(`set-${i + 1}`, set, protocol)),
      ...(wrong.length > 0 ? [await wrongSection(wrong, pictures)] : []),
    ],
  };
}

/** What every reader must know of the numbers, one sentence each. */
function headLines({ protocol, describe, judge, bootstrap, files, leftOut, benchmark }: Evaluation): Part[] {
  return [
    html`Protocol: <b>${protocol}</b> (${describe}).`,
    `Intervals: ${Math.round(bootstrap.level * 100)} %, percentile bootstrap over questions, ${bootstrap.resamples} resamples, seed ${bootstrap.seed}.`,
    `Read from ${files.join(', ')}.`,
    leftOut > 0 && `${leftOut} rollouts of problems that ${benchmark?.name} leaves out.`,
    judge &&
      `Judge: ${judge.model} was shown ${judge.asked} distinct responses without a readable answer and found one in ${judge.read}.`,
  ].filter((line) => line !== false && line !== null);
}

/** A set in one line. */
function aboutSet({ questions, problems, n, failed, cutOff, meanTokens }: SetTables): string {
  const rotations = problems > questions ? ` in ${count(problems)} rotations` : '';
  const lost = failed > 0 ? `, ${count(failed)} could not be sampled` : '';
  return `${count(questions)} questions${rotations}, ${n} ${n === 1 ? 'response' : 'responses'} each${lost}; ${decimal(meanTokens, 1)} tokens a response, ${percent(cutOff)} cut off.`;
}

function result(evaluation: Evaluation): Section {
  const { sets, protocol } = evaluation;
  const rows = sets.flatMap((set) => set.scores.map((score) => ({ set, ...score })));
  const rotated = rows.some(({ vanilla }) => vanilla !== null);
  const [first] = sets;
  return section(
    'result',
    'Result',
    first &&
      html`<p class="big">${percent(first.scores[0]?.accuracy.mean)}</p><p>${first.name} by protocol <b>${protocol}</b></p>`,
    headLines(evaluation).map((line) => note(line)),
    table('Accuracy with its 95 % interval, and the share of unreadable responses', rows, [
      ['responses', ({ set }) => set.name],
      ['protocol', (score) => score.protocol],
      [rotated ? 'circular accuracy' : 'accuracy', ({ accuracy }) => ranged(accuracy)],
      rotated && ['first rotation', ({ vanilla }) => vanilla && ranged(vanilla)],
      ['unreadable', ({ unreadable }) => percent(unreadable)],
      ['N', ({ set }) => set.n],
      ['questions', ({ set }) => count(set.questions)],
    ]),
  );
}

function setSection(id: string, set: SetTables, protocol: string): Section {
  const { curves, n } = set;
  const plain = curves.filter(({ name }) => name !== UNBIASED);
  return section(
    id,
    set.name,
    note(aboutSet(set), ` By protocol ${protocol}.`),
    plain.length > 0 &&
      grid(
        figure({
          id: `${id}-all`,
          title: 'Accuracy and Pass@N over N samples',
          note: 'Pass@N less another line is what a perfect choice among the samples would gain over that rule.',
          chart: curveChart(plain),
        }),
        ...plain.map((curve, i) => oneCurve(`${id}-curve-${i + 1}`, curve)),
      ),
    curves.length > 0 && fold('All numbers of N', curveTable(curves)),
    curves.length > 0 &&
      !set.scored &&
      note('Not all responses have rewards: best-of-N and weighted vote are left out.'),
    set.differences.length > 0 && differenceTable(set),
    set.parts.map((parts, i) => partView(`${id}-part-${i + 1}`, parts, n, i === 0)),
  );
}

/** Curves over the number of samples, each in its own colour. */
export function curveChart(curves: readonly Curve[]): Chart {
  return lineChart({
    xName: 'N samples',
    categories: curves[0]?.points.map(({ n }) => String(n)),
    lines: curves.map(({ name, points: all }) => ({
      name,
      colour: COLOURS[name] ?? 'var(--s1)',
      points: all.map(({ mean }, i) => [i, mean] as const),
    })),
    share: true,
  });
}

/** A curve with its band. */
function oneCurve(id: string, { name, points: all }: Curve): Markup {
  const line = (key: keyof Interval, colour: Colour, dashed = false): Line => ({
    name: key,
    colour,
    points: all.map((point, i) => [i, point[key]]),
    dashed,
  });
  const chart = lineChart({
    xName: 'N samples',
    categories: all.map(({ n }) => String(n)),
    lines: [
      line('high', 'var(--muted)', true),
      line('mean', COLOURS[name] ?? 'var(--s1)'),
      line('low', 'var(--muted)', true),
    ],
    share: true,
  });
  return figure({ id, title: name, note: 'Dashed: the ends of the 95 % interval.', chart });
}

export function curveTable(curves: readonly Curve[]): Markup {
  return table('Over N samples, with 95 % intervals', curves[0]?.points.map(({ n }, place) => ({ n, place })) ?? [], [
    ['N', ({ n }) => n],
    ...curves.map(({ name, points: all }): Column<{ place: number }> => [name, ({ place }) => ranged(all[place])]),
  ]);
}

export function differenceTable({ differences, n }: Pick<SetTables, 'differences' | 'n'>): Markup {
  return table(`Differences in points on the same questions, at N = ${n}`, differences, [
    ['first', ({ first }) => first],
    ['second', ({ second }) => second],
    ['difference', ({ mean }) => points(mean)],
    ['95 % interval', ({ low, high }) => `${points(low)} to ${points(high)}`],
  ]);
}

function partView(id: string, { title, rows }: PartTable, n: number, charted: boolean): Markup {
  const names = Object.keys(rows[0]?.sampled ?? {});
  const numbers = table(`Accuracy by ${title}, with 95 % intervals`, rows, [
    [title, ({ part }) => part],
    ['questions', ({ questions }) => count(questions)],
    ['accuracy', ({ accuracy }) => ranged(accuracy)],
    ...names.map((name): Column<PartRow> => [`${name}, N = ${n}`, ({ sampled }) => ranged(sampled[name])]),
    ['unreadable', ({ unreadable }) => percent(unreadable)],
  ]);
  // The first table is the one that papers report; a chart of each would bury it. Names of many or long parts have no room.
  if (!charted || rows.length < 2 || rows.length > 7 || rows.some(({ part }) => part.length > 9)) return numbers;
  const estimates = rows.map(({ part, accuracy }) => ({ name: part, ...accuracy }));
  const chart = intervalChart(title, estimates, false);
  return html`${grid(figure({ id, title: `Accuracy by ${title}`, chart }))}${numbers}`;
}

async function wrongSection(wrong: readonly WrongAnswer[], { folder, about }: Pictures): Promise<Section> {
  const cards: Markup[] = [];
  for (const { set, problem, question, answer, images, text, finish, verdict, reason } of wrong) {
    const sources = about?.get(problem)?.images ?? images.map((path) => ({ path }));
    const row = { problem, question, answer, images, sample: 0, text, finish, verdict, reason };
    const rows = [{ ...row, reward: null, selected: false, lucky: null, steps: [] }];
    cards.push(
      problemCard({
        problem,
        why: `${verdict}, ${set}`,
        rows,
        by: [set],
        pictures: await embedPictures(folder, sources),
        truth: [],
      }),
    );
  }
  return section(
    ['wrong', 'Wrong answers'],
    'Some wrong answers',
    note('First responses, spread evenly over all that are not correct.'),
    cards,
  );
}
