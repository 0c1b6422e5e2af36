// Several runs as one page that stands alone: what they are, the settings that differ, their curves over each other.
import { sum } from '../../core/lists.js';
import { samplesAt } from '../../measure/rollouts.js';
import { type CurvePoint, type LineChartSpec, lineChart, thin } from '../../page/charts/line.js';
import type { Document } from '../../page/document.js';
import { count, duration, percent, points, significant } from '../../page/format.js';
import { html, type Markup, type Part } from '../../page/html.js';
import { type Column, figure, fold, grid, note, type Section, section, table } from '../../page/parts.js';
import type { Measurement, SampleMeasure } from '../../record/results.js';
import { type RunData, shortName, startOrNumber } from '../run/read.js';
import { iterationsOf, stateOf } from '../run/runs.js';
import {
  type Comparison,
  checkpointsOf,
  compareRuns,
  type Side,
  sharedTemperature,
  sidesOf,
  testsByStep,
} from './comparison.js';

/** The whole document; it depends on the folders of the runs alone. */
export function describeComparison(runs: readonly RunData[]): Document {
  const comparison = compareRuns(runs);
  const sides = sidesOf(runs, comparison.runs);
  return {
    kind: 'mstar runs',
    title: comparison.runs.join(', '),
    sections: [overview(sides), settings(sides, comparison), test(sides), dynamics(sides), training(sides)],
  };
}

function overview(sides: readonly Side[]): Section {
  const problems = new Set(sides.map(({ run }) => run.problemsDigest));
  const last = ({ run }: Side) => run.tests.at(-1)?.greedy;
  const interval = (side: Side): string => {
    const { low, high } = last(side) ?? {};
    return low === undefined ? '–' : `${percent(low)} to ${percent(high)}`;
  };
  return section(
    'runs',
    'Runs',
    problems.size > 1 &&
      html`<p class="warning">The runs did not have the same problems: their accuracies are of different tests.</p>`,
    table('Test accuracy, greedy', sides, [
      ['run', named],
      ['method', ({ run }) => String(run.setting('evolve.method') ?? 'continuous')],
      ['state', ({ run }) => stateOf(run)],
      ['iterations', ({ run }) => iterationsOf(run)],
      ['optimizer steps', ({ steps }) => count(steps.length)],
      ['base model', (side) => percent(accuracyAt(side, 'base'))],
      ['warm-up', (side) => percent(accuracyAt(side, 'warmup'))],
      ['last test', (side) => html`<b>${percent(last(side)?.accuracy)}</b>`],
      ['95 % interval', interval],
      ['time', ({ run }) => duration(sum(Object.values(run.seconds)))],
    ]),
  );
}

function accuracyAt({ run }: Side, checkpoint: string): number | null {
  return run.tests.find(({ at }) => at === checkpoint)?.greedy.accuracy ?? null;
}

function settings(sides: readonly Side[], { settings: differing }: Comparison): Section {
  if (differing.length === 0) return section('settings', 'Settings', note('All settings are the same.'));
  return section(
    'settings',
    'Settings',
    table('Settings in which the runs differ; all others are the same', differing, [
      ['setting', ([name]) => html`<code>${name}</code>`],
      ...eachSide<(typeof differing)[number]>(sides, (values, i) => html`<code>${values[i + 1]}</code>`),
    ]),
  );
}

function test(sides: readonly Side[]): Section {
  const checkpoints = checkpointsOf(sides.map(({ run }) => run));
  if (checkpoints.length === 0) return section('test', 'Test', note('No run has tested a checkpoint yet.'));
  const stepped = sides.some(({ run }) => run.iterations.length > 0);
  return section(
    'test',
    'Test',
    note('Greedy accuracy on the test problems.'),
    keyOf(sides),
    grid(
      curves('test-iteration', 'Test accuracy by iteration', sides, {
        xName: 'iteration',
        categories: checkpoints.map(shortName),
        pointsOf: (side) => checkpoints.map((at, place) => [place, accuracyAt(side, at)] as const),
        share: true,
        numbers: table('Test accuracy by checkpoint', checkpoints, [
          ['checkpoint', shortName],
          ...eachSide<string>(sides, (at, i) => percent(accuracyAt(sides[i] as Side, at))),
        ]),
      }),
      stepped &&
        curves('test-step', 'Test accuracy by optimizer step', sides, {
          xName: 'optimizer step of the policy',
          pointsOf: ({ run }) => testsByStep(run),
          share: true,
          note: 'Over all iterations, also where each starts from the warm-up again.',
        }),
    ),
  );
}

function dynamics(sides: readonly Side[]): Section {
  const last = Math.max(-1, ...sides.flatMap(({ run }) => run.dynamics.map(({ iteration }) => iteration)));
  if (last < 0) return section('dynamics', 'Dynamics', note('No run has measured its validation problems yet.'));
  const temperature = sharedTemperature(sides);
  const iterations = Array.from({ length: last + 1 }, (_, i) => i);
  type Measure = (measurement: Measurement, samples: SampleMeasure | undefined) => number | null;
  const one = (id: string, title: string, shown: typeof percent, measure: Measure): Markup => {
    const measured = (side: Side | undefined, iteration: number): number | null => {
      const measurement = side?.run.dynamics.find((some) => some.iteration === iteration);
      return measurement ? measure(measurement, samplesAt(measurement, temperature)) : null;
    };
    return curves(`dynamics-${id}`, `${title} by iteration`, sides, {
      xName: 'iteration',
      categories: iterations.map(startOrNumber),
      pointsOf: (side) => iterations.map((i) => [i, measured(side, i)] as const),
      share: true,
      numbers: table(`${title} by iteration`, iterations, [
        ['iteration', startOrNumber],
        ...eachSide<number>(sides, (iteration, i) => shown(measured(sides[i], iteration))),
      ]),
    });
  };
  const ks = sides.map(({ run }) => run.dynamics[0] && samplesAt(run.dynamics[0], temperature)?.k);
  const known = [...new Set(ks.filter((k) => k !== undefined))];
  const k = known.length === 1 ? String(known[0]) : 'K';
  const differ = sides.flatMap(({ letter }, i) => (ks[i] === undefined ? [] : `${letter} ${ks[i]}`)).join(', ');
  // Without a PRM there is no such measure.
  const isScored = sides.some(({ run }) =>
    run.dynamics.some((one) => one.samples.some((s) => s.rewardPassAt2 !== null)),
  );
  return section(
    'dynamics',
    'Dynamics',
    note(
      'On the validation problems. ',
      temperature === null
        ? 'No temperature was measured in every run after every iteration, so only greedy accuracy is compared.'
        : `Sampled at temperature ${temperature}, which every run measured after every iteration.`,
      known.length > 1 && ` The number of responses K differs: ${differ}.`,
    ),
    keyOf(sides),
    grid(
      one('greedy', 'Greedy accuracy', percent, ({ greedy }) => greedy.accuracy),
      temperature !== null && [
        one('pass', `Pass@${k}`, percent, (_, samples) => samples?.passAtK ?? null),
        one('gap', `Gap: Pass@${k} − greedy`, points, (_, samples) => samples?.gap ?? null),
        isScored && one('reward', 'Reward-Pass@2', percent, (_, samples) => samples?.rewardPassAt2 ?? null),
      ],
    ),
  );
}

function training(sides: readonly Side[]): Section {
  const longest = Math.max(...sides.map(({ steps }) => steps.length));
  if (longest === 0) return section('training', 'Training', note('No policy has taken an optimizer step yet.'));
  // Stretches of one length for all: means over more steps would look calmer than they are.
  const stretch = Math.ceil(longest / 160);
  const one = (id: string, title: string, value: 'loss' | 'lr'): Markup =>
    curves(id, title, sides, {
      xName: 'optimizer step of the policy',
      note: stretch > 1 && `Means over ${stretch} steps.`,
      pointsOf: ({ steps }) => {
        const all = steps.map((step, i): CurvePoint => [i + 1, step[value]]);
        return thin(all, Math.ceil(all.length / stretch)).map(([x, y]) => [Math.round(x), y] as const);
      },
    });
  const losses = ({ steps }: Side): number[] => steps.flatMap(({ loss }) => loss ?? []);
  return section(
    'training',
    'Training',
    keyOf(sides),
    grid(one('training-loss', 'Training loss', 'loss'), one('training-rate', 'Learning rate', 'lr')),
    fold(
      'Numbers',
      table('Training of the policy', sides, [
        ['run', named],
        ['steps', ({ steps }) => count(steps.length)],
        ['first loss', (side) => significant(losses(side)[0])],
        ['last loss', (side) => significant(losses(side).at(-1))],
        ['last rate', ({ steps }) => significant(steps.at(-1)?.lr)],
      ]),
    ),
  );
}

function named({ letter, name }: Side): Markup {
  return html`<b>${letter}</b> ${name}`;
}

/** Letters and colours of the runs, for above their charts. */
function keyOf(sides: readonly Side[]): Markup {
  const entries = sides.map((side) => html`<li><i style="background:${side.colour}"></i>${named(side)}</li>`);
  return html`<ul class="legend key">${entries}</ul>`;
}

/** A column for each run, given its place. */
function eachSide<Row>(sides: readonly Side[], cell: (row: Row, place: number) => Part): Column<Row>[] {
  return sides.map((side, i) => [named(side), (row) => cell(row, i)]);
}

interface CurvesSpec extends Pick<LineChartSpec, 'xName' | 'categories' | 'share'> {
  readonly pointsOf: (side: Side) => readonly CurvePoint[];
  readonly note?: Part;
  readonly numbers?: Markup;
}

/** One line for each run that has a value. */
function curves(id: string, title: string, sides: readonly Side[], spec: CurvesSpec): Markup {
  const { pointsOf, note: about, numbers, ...axes } = spec;
  const lines = sides
    .map((side) => ({ name: side.letter, colour: side.colour, points: pointsOf(side) }))
    .filter((line) => line.points.some(([, y]) => y !== null));
  // The letters are named above all charts.
  return figure({ id, title, note: about, numbers, chart: { ...lineChart({ ...axes, lines }), legend: [] } });
}
