// The result first: test accuracy of every checkpoint with its interval, and the gain.

import { titleOf } from '../../../evolve/phases.js';
import { intervalChart } from '../../../page/charts/interval.js';
import { count, decimal, percent, plural, points } from '../../../page/format.js';
import { html, type Markup, type Part } from '../../../page/html.js';
import { facts, figure, fold, grid, note, type Section, section, table } from '../../../page/parts.js';
import type { TestResult } from '../../../record/results.js';
import type { Tables } from '../../../record/tables.js';
import { shortName } from '../names.js';
import { fileOf, type RunData } from '../read.js';

/** Change of accuracy between two passes over the same problems. */
interface Gain {
  readonly from: TestResult;
  readonly to: TestResult;
  readonly difference: number;
  /** Problems won and lost, and the 95 % interval of the paired difference, where the rows of both passes are there. */
  readonly paired?: { readonly won: number; readonly lost: number; readonly low: number; readonly high: number };
}

export async function headline(run: RunData, tables: Tables): Promise<Section> {
  const { tests } = run;
  const last = tests.at(-1);
  if (!last) return section('result', 'Result', note('No checkpoint has been tested yet.'), progress(run));
  const starts = tests.filter(({ at }) => at === 'warmup' || at === 'base').reverse();
  const gains: Gain[] = [];
  for (const from of starts) if (from !== last) gains.push(await gainOf(run, tables, from, last));
  const [gain] = gains;
  const chart = intervalChart({
    id: 'result-chart',
    title: 'Greedy accuracy on the test problems',
    description: tests.map(({ at, greedy }) => `${titleOf(at)} ${percent(greedy.accuracy)}`).join(', '),
    xName: 'checkpoint (numbers are iterations)',
    estimates: tests.map(({ at, greedy }) => ({
      name: shortName(at),
      value: greedy.accuracy,
      low: greedy.low,
      high: greedy.high,
    })),
  });
  return section(
    'result',
    'Result',
    gain ? gainLine(gain) : html`<p class="big">${percent(last.greedy.accuracy)}</p>`,
    gains.map((one) => html`<p>${gainSentence(one)}</p>`),
    progress(run),
    grid(
      figure({
        title: 'Greedy accuracy on the test problems',
        note: `${plural(last.greedy.problems, 'problem')} that are never trained on; lines span the 95 % interval.`,
        chart,
      }),
      run.final && sampledFacts(run.final),
    ),
    fold('Numbers', testTable('Greedy accuracy on the test problems', tests, starts)),
    run.outOfDomain.length > 0 && [
      html`<h3>Out of domain</h3>`,
      testTable(
        `Greedy accuracy on ${plural(run.outOfDomain[0]?.greedy.problems ?? 0, 'problem')} of the out-of-domain test`,
        run.outOfDomain,
        run.outOfDomain.filter(({ at }) => at === 'warmup' || at === 'base').reverse(),
      ),
    ],
  );
}

/** Green and red are for changes that the interval bears out; any other may be chance. */
function gainLine({ from, to, difference, paired }: Gain): Markup {
  const direction = !paired || holdsZero(paired) ? 'even' : paired.low > 0 ? 'up' : 'down';
  return html`<p class="big"><span>${percent(from.greedy.accuracy)}</span> <span aria-hidden="true">→</span><span class="hidden">to</span> <span>${percent(to.greedy.accuracy)}</span> <b class="${direction}">${points(difference)} points</b></p>`;
}

function holdsZero({ low, high }: NonNullable<Gain['paired']>): boolean {
  return low <= 0 && high >= 0;
}

function gainSentence({ from, to, difference, paired }: Gain): string {
  const what = `From ${titleOf(from.at)} (${percent(from.greedy.accuracy)}) to ${titleOf(to.at)} (${percent(to.greedy.accuracy)}): ${points(difference)} points`;
  if (!paired) return `${what}.`;
  const interval = `95 % interval ${points(paired.low)} to ${points(paired.high)}`;
  const chance = holdsZero(paired) ? ', which holds zero: the change may be chance' : '';
  return `${what}, ${interval}${chance}; ${plural(paired.won, 'problem')} won, ${count(paired.lost)} lost.`;
}

/** The interval is the normal one of the mean of paired differences: each problem counts +1, 0 or -1. */
async function gainOf(run: RunData, tables: Tables, from: TestResult, to: TestResult): Promise<Gain> {
  const gain = { from, to, difference: to.greedy.accuracy - from.greedy.accuracy };
  const [before, after] = [from, to].map(({ at }) => fileOf(run, `rollouts/test-${at}.parquet`));
  if (!before || !after) return gain;
  const { problems, won, lost } = await tables.flips(before, after);
  if (problems !== to.greedy.problems) return gain;
  const mean = (won - lost) / problems;
  const half = 1.96 * Math.sqrt(((won + lost) / problems - mean ** 2) / problems);
  return { ...gain, paired: { won, lost, low: mean - half, high: mean + half } };
}

function testTable(title: string, tests: readonly TestResult[], starts: readonly TestResult[]): Markup {
  const [start] = starts;
  const rows = tests.map(({ at, greedy }): Part[] => [
    titleOf(at),
    percent(greedy.accuracy),
    `${percent(greedy.low)} to ${percent(greedy.high)}`,
    start && start.at !== at ? points(greedy.accuracy - start.greedy.accuracy) : '',
    `${count(greedy.correct)} of ${count(greedy.problems)}`,
    percent(greedy.unreadable),
    decimal(greedy.meanTokens, 1),
    count(greedy.failed),
  ]);
  const gained = start ? `points over ${titleOf(start.at)}` : 'points';
  const head = [
    'checkpoint',
    'accuracy',
    '95 % interval',
    gained,
    'right',
    'unreadable',
    'tokens per response',
    'failed',
  ];
  return table(title, head, rows);
}

function sampledFacts({ at, samples }: NonNullable<RunData['final']>): Markup {
  const { k, temperature, problems } = samples;
  const first = `${titleOf(at)}, ${count(k)} responses to each of ${plural(problems, 'test problem')} at temperature ${temperature}`;
  return html`<div><h3>Sampled at the end</h3><p>${first}.</p>${facts([
    ['one response', percent(samples.passAt1)],
    [`Pass@${k}`, percent(samples.passAtK)],
    ['Reward-Pass@2', percent(samples.rewardPassAt2)],
    [`best of ${k} by PRM`, percent(samples.bestOfK)],
    ['weighted vote', percent(samples.weightedVote)],
    ['majority vote', percent(samples.majority)],
  ])}</div>`;
}

/** Says what is missing in a run that is not finished. */
function progress(run: RunData): Part {
  if (run.final) return null;
  const last = run.commits.at(-1)?.phase;
  const iterations = Number(run.setting('evolve.iterations') ?? 0);
  const limit = Number(run.setting('evolve.steps') ?? 0);
  const steps = run.iterations.reduce((sum, { training }) => sum + training.steps, 0);
  const done = last ? `Last finished: ${titleOf(last)}` : 'No phase is finished yet';
  const open = run.open.length > 0 ? `; begun: ${run.open.map(titleOf).join(', ')}` : '';
  const of =
    iterations > 0
      ? ` ${run.iterations.length} of ${plural(iterations, 'iteration')} done.`
      : limit > 0
        ? ` ${count(steps)} of ${plural(limit, 'optimizer step')} done.`
        : '';
  return html`<p class="warning" role="note"><strong>This run is not finished.</strong> ${done}${open}.${of} The report shows what there is.</p>`;
}
