// Several runs as one page that stands alone: what they are, the settings that differ, their curves over each other.

import { type Line, lineChart } from '../../page/charts/line.js';
import { type CurvePoint, thin } from '../../page/charts/thin.js';
import type { Document } from '../../page/document.js';
import { count, duration, percent, plural, points, significant } from '../../page/format.js';
import { html, type Markup, type Part } from '../../page/html.js';
import { figure, fold, grid, note, type Section, section, table } from '../../page/parts.js';
import type { Measurement, SampleMeasure } from '../../record/results.js';
import { shortName, startOrNumber } from '../run/names.js';
import type { RunData } from '../run/read.js';
import { iterationsOf, stateOf } from '../run/runs.js';
import { type Comparison, checkpointsOf, compareRuns } from './comparison.js';
import { keyOf, policySteps, type Side, samplesAt, sharedTemperature, sidesOf, testsByStep } from './side.js';

const MOST_POINTS = 160;

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
  const rows = sides.map(({ run, steps, ...side }): Part[] => {
    const last = run.tests.at(-1)?.greedy;
    return [
      named(side),
      String(run.setting('evolve.method') ?? 'continuous'),
      stateOf(run),
      iterationsOf(run),
      count(steps),
      percent(run.tests.find(({ at }) => at === 'base')?.greedy.accuracy),
      percent(run.tests.find(({ at }) => at === 'warmup')?.greedy.accuracy),
      html`<b>${percent(last?.accuracy)}</b>`,
      last ? `${percent(last.low)} to ${percent(last.high)}` : '–',
      duration(Object.values(run.seconds).reduce((sum, seconds) => sum + seconds, 0)),
    ];
  });
  const head = ['run', 'method', 'state', 'iterations', 'optimizer steps', 'base model', 'warm-up'];
  return section(
    'runs',
    'Runs',
    problems.size > 1 &&
      html`<p class="warning">The runs did not have the same problems: their accuracies are of different tests.</p>`,
    table('Test accuracy, greedy', [...head, 'last test', '95 % interval', 'time'], rows),
  );
}

function settings(sides: readonly Side[], { settings: differing }: Comparison): Section {
  if (differing.length === 0) return section('settings', 'Settings', note('All settings are the same.'));
  const rows = differing.map(([name, ...values]): Part[] => [
    html`<code>${name}</code>`,
    ...values.map((value) => html`<code>${value}</code>`),
  ]);
  return section(
    'settings',
    'Settings',
    table('Settings in which the runs differ; all others are the same', ['setting', ...sides.map(named)], rows),
  );
}

function test(sides: readonly Side[]): Section {
  const checkpoints = checkpointsOf(sides.map(({ run }) => run));
  if (checkpoints.length === 0) return section('test', 'Test', note('No run has tested a checkpoint yet.'));
  const accuracy = ({ run }: Side, at: string): number | null =>
    run.tests.find((one) => one.at === at)?.greedy.accuracy ?? null;
  const numbers = checkpoints.map((at): Part[] => [shortName(at), ...sides.map((side) => percent(accuracy(side, at)))]);
  const byIteration = curves(sides, (side) => checkpoints.map((at, place) => [place, accuracy(side, at)] as const));
  const byStep = curves(sides, ({ run }) => testsByStep(run));
  const stepped = sides.some(({ run }) => run.iterations.length > 0);
  return section(
    'test',
    'Test',
    note('Greedy accuracy on the test problems.'),
    keyOf(sides),
    grid(
      chart('test-iteration', 'Test accuracy by iteration', byIteration, {
        categories: checkpoints.map(shortName),
        numbers: table('Test accuracy by checkpoint', ['checkpoint', ...sides.map(named)], numbers),
      }),
      stepped &&
        chart('test-step', 'Test accuracy by optimizer step', byStep, {
          xName: 'optimizer step of the policy',
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
  const one = (id: string, title: string, shown: typeof percent, measure: Measure, about?: string): Markup => {
    const measured = ({ run }: Side, iteration: number): number | null => {
      const measured = run.dynamics.find((some) => some.iteration === iteration);
      return measured ? measure(measured, samplesAt(measured, temperature)) : null;
    };
    const lines = curves(sides, (side) => iterations.map((i) => [i, measured(side, i)] as const));
    const rows = iterations.map((i): Part[] => [startOrNumber(i), ...sides.map((side) => shown(measured(side, i)))]);
    return chart(`dynamics-${id}`, `${title} by iteration`, lines, {
      categories: iterations.map(startOrNumber),
      note: about,
      numbers: table(`${title} by iteration`, ['iteration', ...sides.map(named)], rows),
    });
  };
  const ks = sides.map(({ run }) => run.dynamics[0] && samplesAt(run.dynamics[0], temperature)?.k);
  const known = [...new Set(ks.filter((k) => k !== undefined))];
  const k = known.length === 1 ? String(known[0]) : 'K';
  const differ = sides.flatMap(({ letter }, i) => (ks[i] === undefined ? [] : `${letter} ${ks[i]}`)).join(', ');
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
        one('reward', 'Reward-Pass@2', percent, (_, samples) => samples?.rewardPassAt2 ?? null),
      ],
    ),
  );
}

type Measure = (measurement: Measurement, samples: SampleMeasure | undefined) => number | null;

function training(sides: readonly Side[]): Section {
  const longest = Math.max(...sides.map(({ steps }) => steps));
  if (longest === 0) return section('training', 'Training', note('No policy has taken an optimizer step yet.'));
  // Stretches of one length for all: means over more steps would look calmer than they are.
  const stretch = Math.ceil(longest / MOST_POINTS);
  const read = (value: 'loss' | 'lr') =>
    curves(sides, ({ run }) => {
      const all = policySteps(run).map((step, i): CurvePoint => [i + 1, step[value]]);
      return thin(all, Math.ceil(all.length / stretch)).map(([x, y]) => [Math.round(x), y] as const);
    });
  const about = stretch > 1 ? `Means over ${stretch} steps.` : undefined;
  const axis = { xName: 'optimizer step of the policy', note: about, share: false, marked: longest < 8 } as const;
  const rows = sides.map(({ run, ...side }): Part[] => {
    const losses = policySteps(run).flatMap(({ loss }) => loss ?? []);
    const { lr } = policySteps(run).at(-1) ?? {};
    return [named(side), count(side.steps), significant(losses[0]), significant(losses.at(-1)), significant(lr)];
  });
  return section(
    'training',
    'Training',
    keyOf(sides),
    grid(
      chart('training-loss', 'Training loss', read('loss'), axis),
      chart('training-rate', 'Learning rate', read('lr'), axis),
    ),
    fold('Numbers', table('Training of the policy', ['run', 'steps', 'first loss', 'last loss', 'last rate'], rows)),
  );
}

function named({ letter, name }: Pick<Side, 'letter' | 'name'>): Markup {
  return html`<b>${letter}</b> ${name}`;
}

/** One line for each run that has a value; its letter stands at its end. */
function curves(sides: readonly Side[], pointsOf: (side: Side) => Line['points']): Line[] {
  return sides
    .map((side) => ({ name: side.letter, colour: side.colour, points: pointsOf(side) }))
    .filter((line) => line.points.some(([, y]) => y !== null));
}

interface ChartOptions {
  readonly categories?: readonly string[];
  readonly xName?: string;
  readonly note?: string;
  readonly numbers?: Markup;
  readonly share?: boolean;
  readonly marked?: boolean;
}

function chart(id: string, title: string, lines: readonly Line[], options: ChartOptions): Markup {
  const { note: about, numbers, xName = 'iteration', share = true, ...axis } = options;
  const value = share ? percent : significant;
  const description = lines
    .map(({ name, points: some }) => `${name}: ${plural(some.length, 'value')}, last ${value(lastOf(some))}`)
    .join('; ');
  const drawn = lineChart({ id, title, description, xName, lines, share, ...axis });
  return figure({ title, note: about, chart: drawn, numbers });
}

function lastOf(some: Line['points']): number | null {
  return some.findLast(([, y]) => y !== null)?.[1] ?? null;
}
