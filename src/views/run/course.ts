// The course of a run from iteration to iteration: what the policy could do on the validation problems (P13), the temperature
// that was chosen for it (P14), and its training.
import { mean, sum } from '../../core/lists.js';
import { isIteration, titleOf } from '../../evolve/phases.js';
import { followedTemperatures, samplesAt } from '../../measure/rollouts.js';
import { type Colour, rampColour } from '../../page/charts/axes.js';
import { intervalChart } from '../../page/charts/interval.js';
import { type CurvePoint, type Line, lineChart, thin } from '../../page/charts/line.js';
import { count, decimal, percent, plural, points, significant } from '../../page/format.js';
import { html, type Markup, type Part } from '../../page/html.js';
import { type Column, figure, fold, grid, note, type Section, section, smallGrid, table } from '../../page/parts.js';
import type { Measurement, SampleMeasure, StepEvent, TemperatureDecision } from '../../record/results.js';
import { type RunData, shortName, startOrNumber } from './read.js';

type Measure = (samples: SampleMeasure) => number | null;

export function dynamics({ dynamics: measurements }: RunData): Section {
  const [first] = measurements;
  if (!first) return section('dynamics', 'Dynamics', note('No measurement on the validation problems yet.'));
  const k = first.samples[0]?.k ?? 0;
  const lines = linesOf(measurements);
  const categories = measurements.map(({ iteration }) => startOrNumber(iteration));
  // Without a PRM there is no such measure.
  const isScored = measurements.some(({ samples }) => samples.some(({ rewardPassAt2 }) => rewardPassAt2 !== null));
  const one = (id: string, title: string, about: string, measure: Measure): Markup => {
    const chart = lineChart({ xName: 'iteration', categories, lines: lines(measure), share: true });
    return figure({ id: `dynamics-${id}`, title, note: about, chart });
  };
  const greedy = measurements.map(({ iteration, greedy: { accuracy, low, high } }) => ({
    name: startOrNumber(iteration),
    mean: accuracy,
    low,
    high,
  }));
  return section(
    'dynamics',
    'Dynamics',
    note(
      `${plural(first.greedy.problems, 'validation problem')}, ${k} responses each per temperature (T).`,
      courseOf(measurements, lines),
    ),
    grid(
      figure({
        id: 'dynamics-greedy',
        title: 'Greedy accuracy',
        note: 'The most likely response, with its 95 % interval.',
        chart: intervalChart('iteration', greedy),
      }),
      one('pass', `Pass@${k}`, `Share of problems with a right one among ${k} responses.`, ({ passAtK }) => passAtK),
      one(
        'gap',
        `Gap: Pass@${k} − greedy`,
        `Problems that ${k} responses solve, less those that the most likely one solves.`,
        ({ gap }) => gap,
      ),
      isScored &&
        one(
          'reward',
          'Reward-Pass@2',
          `Share of problems with a right one among the 2 of ${k} that the PRM ranks highest.`,
          ({ rewardPassAt2 }) => rewardPassAt2,
        ),
    ),
    fold('Numbers', dynamicsTable(measurements, k)),
  );
}

/** One line per temperature that was followed through; those measured for one choice only are in that section. */
function linesOf(measurements: readonly Measurement[]): (measure: Measure) => Line[] {
  const always = followedTemperatures(measurements);
  const all = new Set(measurements.flatMap(({ samples }) => samples.map(({ temperature }) => temperature)));
  const followed = always.length > 0 ? always : [...all].sort((a, b) => a - b);
  return (measure) =>
    followed.map((t, i) => ({
      name: `T ${t}`,
      colour: rampColour(i, followed.length),
      points: measurements.map((measurement, place): CurvePoint => {
        const found = samplesAt(measurement, t);
        return [place, found ? measure(found) : null];
      }),
    }));
}

/** From the first measurement to the last, in numbers; nothing where there is one only. */
function courseOf(measurements: readonly Measurement[], lines: (measure: Measure) => Line[]): Part {
  const [first, last] = [measurements[0] as Measurement, measurements.at(-1) as Measurement];
  if (first === last) return null;
  const change = (name: string, from: number | null | undefined, to: number | null | undefined): string =>
    `${name} ${percent(from)} to ${percent(to)}`;
  const sampled = (name: string, measure: Measure): string[] => {
    const [line] = lines(measure);
    return line ? [change(name.replace('*', line.name), line.points[0]?.[1], line.points.at(-1)?.[1])] : [];
  };
  const all = [
    change('greedy accuracy', first.greedy.accuracy, last.greedy.accuracy),
    ...sampled(`Pass@${first.samples[0]?.k} at *`, ({ passAtK }) => passAtK),
    ...sampled('the gap', ({ gap }) => gap),
  ];
  return ` From ${startOrNumber(first.iteration)} to iteration ${last.iteration}: ${all.join(', ')}.`;
}

/** A row for greedy responses, without samples, and one for each temperature. */
function dynamicsTable(measurements: readonly Measurement[], k: number): Markup {
  const rows = measurements.flatMap(({ iteration, greedy, samples }) => [
    { iteration, all: greedy, samples: undefined },
    ...samples.map((one) => ({ iteration, all: one, samples: one })),
  ]);
  const sampled = (head: string, cell: (samples: SampleMeasure) => Part): Column<(typeof rows)[number]> => [
    head,
    ({ samples }) => samples && cell(samples),
  ];
  return table('Validation problems by iteration and temperature (T)', rows, [
    ['iteration', ({ iteration }) => startOrNumber(iteration)],
    ['T', ({ samples }) => (samples ? String(samples.temperature) : 'greedy')],
    [
      'one response',
      ({ all, samples }) => percent(samples ? samples.passAt1 : (all as Measurement['greedy']).accuracy),
    ],
    sampled(`Pass@${k}`, ({ passAtK }) => percent(passAtK)),
    sampled('gap', ({ gap }) => points(gap)),
    sampled('Reward-Pass@2', ({ rewardPassAt2 }) => percent(rewardPassAt2)),
    sampled('of different texts', ({ rewardPassAt2Distinct }) => percent(rewardPassAt2Distinct)),
    sampled('majority', ({ majority }) => percent(majority)),
    ['unreadable', ({ all }) => percent(all.unreadable)],
    ['tokens per response', ({ all }) => decimal(all.meanTokens, 1)],
  ]);
}

interface Choice extends TemperatureDecision {
  /** The iteration before it. */
  readonly after: number;
}

/** Which temperature was sampled at, and the scores that each choice was made from. */
export function temperature({ iterations, dynamics: measurements }: RunData): Section {
  if (iterations.length === 0) return section('temperature', 'Temperature', note('No iteration is finished yet.'));
  const choices = measurements.flatMap(({ iteration, decision }): Choice[] =>
    decision ? [{ after: iteration, ...decision }] : [],
  );
  const used = iterations.map(({ temperature: t }) => t);
  if (choices.length === 0) {
    const same = new Set(used).size === 1;
    const text = same ? `Every iteration was sampled at temperature ${used[0]}` : `Sampled at ${used.join(', ')}`;
    return section('temperature', 'Temperature', note(`${text}; none was chosen on the validation problems.`));
  }
  const temperatures = [...new Set(choices.flatMap(({ scores }) => scores.map(({ temperature: t }) => t)))];
  temperatures.sort((a, b) => a - b);
  return section(
    'temperature',
    'Temperature',
    note(
      'The next iterations sample at the temperature with the highest Reward-Pass@2 on the validation problems; the lower one of equals.',
    ),
    grid(
      figure({
        id: 'temperature-used',
        title: 'Temperature of each iteration',
        chart: lineChart({
          xName: 'iteration',
          categories: iterations.map(({ iteration }) => String(iteration)),
          lines: [{ name: 'temperature', colour: 'var(--s2)', points: used.map((t, place) => [place, t] as const) }],
        }),
      }),
      figure({
        id: 'temperature-scores',
        title: 'Reward-Pass@2 by temperature',
        note: 'One line per choice.',
        chart: lineChart({
          xName: 'temperature',
          categories: temperatures.map(String),
          lines: choices.map(({ after, scores }, i) => ({
            name: `after ${after}`,
            colour: rampColour(i, choices.length),
            points: scores.map(
              ({ temperature: t, rewardPassAt2 }) => [temperatures.indexOf(t), rewardPassAt2] as const,
            ),
          })),
          share: true,
        }),
      }),
    ),
    table('Reward-Pass@2 in percent at each temperature (T); ★: chosen', choices, [
      ['choice', ({ after }) => `after ${after}`],
      ['T before', ({ previous }) => String(previous)],
      ['T after', ({ chosen }) => html`<b>${chosen}</b>`],
      ...temperatures.map((t): Column<Choice> => [String(t), (choice) => scoreCell(choice, t)]),
    ]),
  );
}

/** A score that was compared; the deeper the colour, the higher in its row. */
function scoreCell({ scores, chosen }: Choice, t: number): Part {
  const score = scores.find((one) => one.temperature === t)?.rewardPassAt2;
  if (score === undefined || score === null) return '';
  const values = scores.flatMap(({ rewardPassAt2 }) => rewardPassAt2 ?? []);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const depth = high > low ? Math.round(((score - low) / (high - low)) * 100) : 100;
  const mark = t === chosen && html` <b aria-label="chosen">★</b>`;
  return html`<span class="heat${t === chosen && ' chosen'}" style="--depth:${depth}%">${decimal(score * 100, 1)}${mark}</span>`;
}

type Stretch = readonly [phase: string, steps: readonly StepEvent[]];

export function training({ steps, iterations }: RunData): Section {
  const stretches = [...steps];
  if (stretches.length === 0) return section('training', 'Training', note('No optimizer step has been taken yet.'));
  const part = (id: string, name: string, fits: (phase: string) => boolean): Part => {
    const figures = curveFigures(
      id,
      stretches.filter(([phase]) => fits(phase)),
    );
    return figures.length > 0 && html`<h3>${name}</h3>${smallGrid(figures)}`;
  };
  const losses = ([, some]: Stretch): number[] => some.flatMap(({ loss }) => loss ?? []);
  return section(
    'training',
    'Training',
    part('policy', 'Iterations', isIteration),
    groupFigures(iterations),
    part('warmup', 'Warm-up', (phase) => phase === 'warmup'),
    table('Training by phase', stretches, [
      ['phase', ([phase]) => titleOf(phase)],
      ['optimizer steps', ([, some]) => count(some.length)],
      ['first loss', (one) => significant(losses(one)[0])],
      ['last loss', (one) => significant(losses(one).at(-1))],
      ['mean gradient norm', ([, some]) => significant(mean(some.flatMap(({ gradNorm }) => gradNorm ?? [])))],
      ['last rate', ([, some]) => significant(some.at(-1)?.lr)],
      ['tokens', ([, some]) => count(sum(some.map(({ tokens }) => tokens)))],
    ]),
  );
}

/** Of the method grpo: what responses were worth, whether there was anything to learn from, and how long they were. */
function groupFigures(iterations: RunData['iterations']): Part {
  const groups = iterations.flatMap(({ iteration, choice }) => (choice.groups ? [{ iteration, ...choice }] : []));
  if (groups.length === 0) return null;
  const categories = groups.map(({ iteration }) => String(iteration));
  const one = (id: string, title: string, colour: Colour, read: (of: (typeof groups)[number]) => number | null) => {
    const points = groups.map((of, place): CurvePoint => [place, read(of)]);
    const chart = lineChart({ xName: 'iteration', categories, lines: [{ name: title, colour, points }] });
    return figure({ id: `groups-${id}`, title, chart });
  };
  return smallGrid([
    one('reward', 'Mean reward', 'var(--s1)', (of) => of.groups?.reward ?? null),
    one('flat', 'Share of questions without advantages', 'var(--s3)', ({ groups: found, problems }) =>
      found && problems > 0 ? found.flat / problems : null,
    ),
    one('tokens', 'Tokens per response', 'var(--s2)', (of) => of.groups?.tokens ?? null),
  ]);
}

/** Charts over the optimizer steps of these phases, one after the other: loss, gradient norm, learning rate, and what a policy objective measures. */
export function curveFigures(id: string, stretches: readonly Stretch[]): Markup[] {
  const [mostPoints, mostBorders] = [240, 12];
  const all = stretches.flatMap(([, steps]) => steps);
  if (all.length === 0) return [];
  let before = 0;
  const starts = stretches.map(([phase, steps]) => {
    const start = { x: before + 1, name: shortName(phase) };
    before += steps.length;
    return start;
  });
  const borders = starts.length > 1 && starts.length <= mostBorders ? starts : [];
  const about = [
    all.length > mostPoints && `Means over about ${count(all.length / mostPoints)} steps.`,
    borders.length > 0 && 'Numbers above: where iterations begin.',
  ].filter((sentence) => sentence !== false);
  const one = (kind: string, title: string, colour: Colour, read: (step: StepEvent) => number | null): Markup => {
    const curve = all.map((step, i): CurvePoint => [i + 1, read(step)]);
    const line = { name: title, colour, points: thin(curve, mostPoints) };
    const chart = lineChart({ xName: 'optimizer step', lines: [line], borders });
    return figure({ id: `${id}-${kind}`, title, note: about.join(' '), chart });
  };
  return [
    one('loss', 'Training loss', 'var(--s1)', ({ loss }) => loss),
    one('norm', 'Gradient norm', 'var(--s3)', ({ gradNorm }) => gradNorm),
    one('rate', 'Learning rate', 'var(--s2)', ({ lr }) => lr),
    ...(all.some(({ clipShare }) => (clipShare ?? null) !== null)
      ? [
          one('clip', 'Share of tokens clipped', 'var(--s1)', ({ clipShare }) => clipShare ?? null),
          one('kl', 'Divergence from the reference', 'var(--s3)', ({ kl }) => kl ?? null),
          one('mismatch', 'Largest difference to sampling', 'var(--s2)', ({ mismatchMax }) => mismatchMax ?? null),
        ]
      : []),
  ];
}
