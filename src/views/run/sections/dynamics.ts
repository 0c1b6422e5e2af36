// How the policy changed from iteration to iteration on the validation problems (P13).

import { rampColour } from '../../../page/charts/axes.js';
import { intervalChart } from '../../../page/charts/interval.js';
import { type Line, lineChart } from '../../../page/charts/line.js';
import { decimal, percent, plural, points } from '../../../page/format.js';
import type { Markup, Part } from '../../../page/html.js';
import { figure, fold, grid, note, type Section, section, table } from '../../../page/parts.js';
import type { Measurement, SampleMeasure } from '../../../record/results.js';
import { startOrNumber } from '../names.js';
import type { RunData } from '../read.js';

export function dynamics({ dynamics: standings }: RunData): Section {
  const [first] = standings;
  if (!first) return section('dynamics', 'Dynamics', note('No measurement on the validation problems yet.'));
  const k = first.samples[0]?.k ?? 0;
  const lines = linesOf(standings);
  const about = `${plural(first.greedy.problems, 'validation problem')}, ${k} responses each per temperature (T), after every iteration.`;
  return section(
    'dynamics',
    'Dynamics',
    note(about, courseOf(standings, lines)),
    grid(
      figure({
        title: 'Greedy accuracy',
        note: 'The most likely response, with its 95 % interval.',
        chart: greedyChart(standings),
      }),
      figure({
        title: `Pass@${k}`,
        note: `Share of problems with a right one among ${k} responses.`,
        chart: chart(
          'pass',
          `Pass@${k}`,
          standings,
          lines((one) => one.passAtK),
        ),
      }),
      figure({
        title: `Gap: Pass@${k} − greedy`,
        note: `Problems that ${k} responses solve, less those that the most likely one solves.`,
        chart: chart(
          'gap',
          `Gap between Pass@${k} and greedy accuracy`,
          standings,
          lines((one) => one.gap),
        ),
      }),
      figure({
        title: 'Reward-Pass@2',
        note: `Share of problems with a right one among the 2 of ${k} that the PRM ranks highest.`,
        chart: chart(
          'reward',
          'Reward-Pass@2',
          standings,
          lines((one) => one.rewardPassAt2),
        ),
      }),
    ),
    fold('Numbers', numbers(standings, k)),
  );
}

/** One line per temperature that was followed through; those measured for one choice only are in that section. */
function linesOf(standings: readonly Measurement[]): (measure: (samples: SampleMeasure) => number | null) => Line[] {
  const all = [...new Set(standings.flatMap(({ samples }) => samples.map(({ temperature }) => temperature)))].sort(
    (a, b) => a - b,
  );
  const always = all.filter((t) =>
    standings.every(({ samples }) => samples.some(({ temperature }) => temperature === t)),
  );
  const followed = always.length > 0 ? always : all;
  return (measure) =>
    followed.map((t, i) => ({
      name: `T ${t}`,
      colour: rampColour(i, followed.length),
      points: standings.map(({ samples }, place) => {
        const found = samples.find(({ temperature }) => temperature === t);
        return [place, found ? measure(found) : null] as const;
      }),
    }));
}

/** From the first measurement to the last, in numbers; nothing where there is one only. */
function courseOf(standings: readonly Measurement[], lines: ReturnType<typeof linesOf>): Part {
  const [first, last] = [standings[0] as Measurement, standings.at(-1) as Measurement];
  if (first === last) return null;
  const change = (name: string, from: number | null | undefined, to: number | null | undefined): string =>
    `${name} ${percent(from)} to ${percent(to)}`;
  const ends = (
    measure: (samples: SampleMeasure) => number | null,
  ): [number | null | undefined, number | null | undefined] => {
    const all = lines(measure)[0]?.points;
    return [all?.[0]?.[1], all?.at(-1)?.[1]];
  };
  const t = lines(() => null)[0]?.name;
  const k = first.samples[0]?.k;
  const sampled =
    t === undefined
      ? []
      : [change(`Pass@${k} at ${t}`, ...ends((one) => one.passAtK)), change('the gap', ...ends((one) => one.gap))];
  const all = [change('greedy accuracy', first.greedy.accuracy, last.greedy.accuracy), ...sampled];
  return ` From ${startOrNumber(first.iteration)} to iteration ${last.iteration}: ${all.join(', ')}.`;
}

function greedyChart(standings: readonly Measurement[]): Markup {
  const estimates = standings.map(({ iteration, greedy }) => ({
    name: startOrNumber(iteration),
    value: greedy.accuracy,
    low: greedy.low,
    high: greedy.high,
  }));
  return intervalChart({
    id: 'dynamics-greedy',
    title: 'Greedy accuracy by iteration',
    description: estimates.map(({ name, value }) => `${name}: ${percent(value)}`).join(', '),
    xName: 'iteration',
    estimates,
  });
}

function chart(id: string, title: string, standings: readonly Measurement[], lines: readonly Line[]): Markup {
  const description = lines
    .map(({ name, points: some }) => `${name}: ${some.map(([, y]) => percent(y)).join(', ')}`)
    .join('; ');
  const categories = standings.map(({ iteration }) => startOrNumber(iteration));
  return lineChart({
    id: `dynamics-${id}`,
    title: `${title} by iteration`,
    description,
    xName: 'iteration',
    categories,
    lines,
    share: true,
  });
}

function numbers(standings: readonly Measurement[], k: number): Markup {
  const rows = standings.flatMap(({ iteration, greedy, samples }) => [
    [
      startOrNumber(iteration),
      'greedy',
      percent(greedy.accuracy),
      '',
      '',
      '',
      '',
      percent(greedy.unreadable),
      decimal(greedy.meanTokens, 1),
    ],
    ...samples.map((one): Part[] => [
      startOrNumber(iteration),
      String(one.temperature),
      percent(one.passAt1),
      percent(one.passAtK),
      points(one.gap),
      percent(one.rewardPassAt2),
      percent(one.majority),
      percent(one.unreadable),
      decimal(one.meanTokens, 1),
    ]),
  ]);
  const head = [
    'iteration',
    'T',
    'one response',
    `Pass@${k}`,
    'gap',
    'Reward-Pass@2',
    'majority',
    'unreadable',
    'tokens per response',
  ];
  return table('Validation problems by iteration and temperature (T)', head, rows);
}
