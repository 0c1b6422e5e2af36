// evaluation.html: one page that stands alone, with the tables and charts of an evaluation and some wrong answers.

import type { Asked } from '../../evaluate/benchmarks/benchmark.js';
import type { Curve, Evaluation, PartTable, SetTables, WrongAnswer } from '../../evaluate/evaluation.js';
import { UNBIASED } from '../../evaluate/questions.js';
import type { Interval } from '../../measure/bootstrap.js';
import type { Colour } from '../../page/charts/axes.js';
import { intervalChart } from '../../page/charts/interval.js';
import { lineChart } from '../../page/charts/line.js';
import type { Document } from '../../page/document.js';
import { count, decimal, percent, points, ranged } from '../../page/format.js';
import { html, type Markup, type Part } from '../../page/html.js';
import { figure, fold, grid, note, type Section, section, table } from '../../page/parts.js';
import { embedBytes, embedPicture } from '../../page/pictures.js';
import { problemCard } from '../run/response.js';

/** Curves by name, in colours that stay the same from set to set. */
const COLOURS: Readonly<Record<string, Colour>> = {
  'Pass@N': 'var(--s2)',
  [UNBIASED]: 'var(--t4)',
  majority: 'var(--s1)',
  'best-of-N': 'var(--s3)',
  'weighted vote': 'var(--t1)',
  'Reward-Pass@N': 'var(--t6)',
};
/** Charts hold no more parts than have room for their names. */
const MOST_PARTS = 7;

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
function aboutSet({ questions, problems, n, failed, cutOff, meanTokens }: Omit<SetTables, 'parts'>): string {
  const rotations = problems > questions ? ` in ${count(problems)} rotations` : '';
  const lost = failed > 0 ? `, ${count(failed)} could not be sampled` : '';
  return `${count(questions)} questions${rotations}, ${n} ${n === 1 ? 'response' : 'responses'} each${lost}; ${decimal(meanTokens, 1)} tokens a response, ${percent(cutOff)} cut off.`;
}

function result(evaluation: Evaluation): Section {
  const { sets, protocol } = evaluation;
  const rotated = sets.some(({ scores }) => scores.some(({ vanilla }) => vanilla !== null));
  const rows = sets.flatMap((set) =>
    set.scores.map(({ protocol: name, accuracy, vanilla, unreadable }): Part[] => [
      set.name,
      name,
      ranged(accuracy),
      rotated && (vanilla ? ranged(vanilla) : ''),
      percent(unreadable),
      set.n,
      count(set.questions),
    ]),
  );
  const head = [
    'responses',
    'protocol',
    rotated ? 'circular accuracy' : 'accuracy',
    'first rotation',
    'unreadable',
    'N',
    'questions',
  ];
  const without = (cells: readonly Part[]): Part[] => cells.filter((_, i) => rotated || i !== 3);
  const [first] = sets;
  return section(
    'result',
    'Result',
    first &&
      html`<p class="big">${percent(first.scores[0]?.accuracy.mean)}</p><p>${first.name} by protocol <b>${protocol}</b></p>`,
    headLines(evaluation).map((line) => note(line)),
    table('Accuracy with its 95 % interval, and the share of unreadable responses', without(head), rows.map(without)),
  );
}

function setSection(id: string, set: SetTables, protocol: string): Section {
  const plain = set.curves.filter(({ name }) => name !== UNBIASED);
  return section(
    id,
    set.name,
    note(aboutSet(set), ` By protocol ${protocol}.`),
    plain.length > 0 &&
      grid(
        curveFigure(
          `${id}-all`,
          plain,
          set.n,
          'Accuracy and Pass@N over N samples',
          'Pass@N less another line is what a perfect choice among the samples would gain over that rule.',
        ),
        ...plain.map((curve, i) => oneCurve(`${id}-curve-${i + 1}`, curve)),
      ),
    set.curves.length > 0 && fold('All numbers of N', curveTable(set.curves)),
    set.curves.length > 0 &&
      !set.scored &&
      note('Not all responses have rewards: best-of-N and weighted vote are left out.'),
    set.differences.length > 0 && differenceTable(set),
    set.parts.map((parts, i) => partView(`${id}-part-${i + 1}`, parts, set.n, i === 0)),
  );
}

function curveFigure(id: string, curves: readonly Curve[], n: number, title: string, about: string): Markup {
  return figure({ title, note: about, chart: curveChart(id, curves, n, title) });
}

/** Curves over the number of samples, each in its own colour. @param n the last of these numbers */
export function curveChart(id: string, curves: readonly Curve[], n: number, title: string): Markup {
  const last = (curve: Curve): string => `${curve.name} ${percent(curve.points.at(-1)?.mean)}`;
  return lineChart({
    id,
    title,
    description: `At N = ${n}: ${curves.map(last).join(', ')}`,
    xName: 'N samples',
    categories: curves[0]?.points.map((point) => String(point.n)),
    lines: curves.map(({ name, points: all }) => ({
      name,
      colour: COLOURS[name] ?? 'var(--s1)',
      points: all.map(({ mean }, i) => [i, mean] as const),
    })),
    share: true,
  });
}

/** A curve with its band: the ends of the interval as dashed lines. */
function oneCurve(id: string, { name, points: all }: Curve): Markup {
  const colour = COLOURS[name] ?? 'var(--s1)';
  const at = (pick: (point: Interval) => number): (readonly [number, number])[] =>
    all.map((point, i) => [i, pick(point)] as const);
  const chart = lineChart({
    id,
    title: `${name} with its 95 % interval`,
    description: all.map((point) => `N = ${point.n}: ${ranged(point)}`).join('; '),
    xName: 'N samples',
    categories: all.map((point) => String(point.n)),
    lines: [
      { name: 'high', colour: 'var(--muted)', points: at(({ high }) => high), dashed: true },
      { name: 'mean', colour, points: at(({ mean }) => mean) },
      { name: 'low', colour: 'var(--muted)', points: at(({ low }) => low), dashed: true },
    ],
    share: true,
  });
  return figure({ title: name, note: 'Dashed: the ends of the 95 % interval.', chart });
}

export function curveTable(curves: readonly Curve[]): Markup {
  const numbers = curves[0]?.points.map(({ n }) => n) ?? [];
  return table(
    'Over N samples, with 95 % intervals',
    ['N', ...curves.map(({ name }) => name)],
    numbers.map((n, i) => [n, ...curves.map(({ points: all }) => ranged(all[i] as Interval))]),
  );
}

export function differenceTable({ differences, n }: Pick<SetTables, 'differences' | 'n'>): Markup {
  return table(
    `Differences in points on the same questions, at N = ${n}`,
    ['first', 'second', 'difference', '95 % interval'],
    differences.map(({ first, second, mean, low, high }) => [
      first,
      second,
      points(mean),
      `${points(low)} to ${points(high)}`,
    ]),
  );
}

function partView(id: string, { title, rows }: PartTable, n: number, charted: boolean): Markup {
  const names = Object.keys(rows[0]?.sampled ?? {});
  const numbers = table(
    `Accuracy by ${title}, with 95 % intervals`,
    [title, 'questions', 'accuracy', ...names.map((name) => `${name}, N = ${n}`), 'unreadable'],
    rows.map(({ part, questions, accuracy, sampled, unreadable }) => [
      part,
      count(questions),
      ranged(accuracy),
      ...names.map((name) => ranged(sampled[name] as Interval)),
      percent(unreadable),
    ]),
  );
  // The first table is the one that papers report; a chart of each would bury it.
  if (!charted || rows.length < 2 || rows.length > MOST_PARTS || rows.some(({ part }) => part.length > 9))
    return numbers;
  const chart = intervalChart({
    id,
    title: `Accuracy by ${title}`,
    description: rows.map(({ part, accuracy }) => `${part} ${ranged(accuracy)}`).join(', '),
    xName: title,
    joined: false,
    estimates: rows.map(({ part, accuracy: { mean, low, high } }) => ({ name: part, value: mean, low, high })),
  });
  return html`${grid(figure({ title: `Accuracy by ${title}`, chart }))}${numbers}`;
}

async function wrongSection(wrong: readonly WrongAnswer[], { folder, about }: Pictures): Promise<Section> {
  const cards: Markup[] = [];
  for (const { set, problem, question, answer, images, text, finish, verdict, reason } of wrong) {
    const sources = about?.get(problem)?.images ?? images.map((path) => ({ path }));
    const embedded = sources.map((source) =>
      'path' in source ? embedPicture(folder, source.path) : embedBytes(source.bytes, source.name),
    );
    const found = (await Promise.all(embedded)).filter((picture) => picture !== undefined);
    const row = { problem, question, answer, images, sample: 0, text, finish, verdict, reason };
    const rows = [{ ...row, reward: null, selected: false, lucky: null, steps: [] }];
    cards.push(problemCard({ problem, why: `${verdict}, ${set}`, rows, by: [set], pictures: found, truth: [] }));
  }
  return section(
    ['wrong', 'Wrong answers'],
    'Some wrong answers',
    note('First responses, spread evenly over all that are not correct.'),
    cards,
  );
}
