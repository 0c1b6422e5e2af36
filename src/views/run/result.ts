// The first and the last sections of a report: what the run came to, what it did, and what that took.
import { groupBy, sum } from '../../core/lists.js';
import { isIteration, kindOf, phases, titleOf } from '../../evolve/phases.js';
import { lyingBars } from '../../page/charts/bars.js';
import { intervalChart } from '../../page/charts/interval.js';
import { count, decimal, duration, percent, plural, points } from '../../page/format.js';
import { html, type Markup, type Part } from '../../page/html.js';
import { type Column, facts, figure, fold, grid, note, type Section, section, table } from '../../page/parts.js';
import type { TestResult } from '../../record/results.js';
import type { Tables } from '../../record/tables.js';
import type { TokenCounts } from '../../run/journal.js';
import { type RunData, shortName, tableOf } from './read.js';
import { iterationsOf } from './runs.js';

/** Change of accuracy between two passes over the same problems. */
interface Gain {
  readonly from: TestResult;
  readonly to: TestResult;
  readonly difference: number;
  /** Problems won and lost, and the 95 % interval of the paired difference, where the rows of both passes are there. */
  readonly paired?: {
    readonly won: number;
    readonly lost: number;
    readonly low: number;
    readonly high: number;
    readonly holdsZero: boolean;
  };
}

/** Test accuracy of every checkpoint with its interval, and the gain. */
export async function result(run: RunData, tables: Tables): Promise<Section> {
  const { tests, outOfDomain } = run;
  const last = tests.at(-1);
  if (!last) return section('result', 'Result', note('No checkpoint has been tested yet.'), progress(run));
  const gains: Gain[] = [];
  for (const from of startsOf(tests)) if (from !== last) gains.push(await gainOf(run, tables, from, last));
  const [gain] = gains;
  const title = 'Greedy accuracy on the test problems';
  const problems = plural(outOfDomain[0]?.greedy.problems ?? 0, 'problem');
  return section(
    'result',
    'Result',
    gain ? gainLine(gain) : html`<p class="big">${percent(last.greedy.accuracy)}</p>`,
    gains.map((one) => html`<p>${gainSentence(one)}</p>`),
    progress(run),
    grid(
      figure({
        id: 'result-chart',
        title,
        note: `${plural(last.greedy.problems, 'problem')} that are never trained on; lines span the 95 % interval.`,
        chart: intervalChart(
          'checkpoint (numbers are iterations)',
          tests.map(({ at, greedy: { accuracy, low, high } }) => ({ name: shortName(at), mean: accuracy, low, high })),
        ),
      }),
      run.final && sampledFacts(run.final),
    ),
    fold('Numbers', testTable(title, tests)),
    outOfDomain.length > 0 && [
      html`<h3>Out of domain</h3>`,
      testTable(`Greedy accuracy on ${problems} of the out-of-domain test`, outOfDomain),
    ],
  );
}

/** What gains are counted from, the warm-up first. */
function startsOf(tests: readonly TestResult[]): TestResult[] {
  return tests.filter(({ at }) => at === 'warmup' || at === 'base').reverse();
}

/** Green and red are for changes that the interval bears out; any other may be chance. */
function gainLine({ from, to, difference, paired }: Gain): Markup {
  const direction = !paired || paired.holdsZero ? 'even' : paired.low > 0 ? 'up' : 'down';
  return html`<p class="big"><span>${percent(from.greedy.accuracy)}</span> <span aria-hidden="true">→</span><span class="hidden">to</span> <span>${percent(to.greedy.accuracy)}</span> <b class="${direction}">${points(difference)} points</b></p>`;
}

function gainSentence({ from, to, difference, paired }: Gain): string {
  const what = `From ${titleOf(from.at)} (${percent(from.greedy.accuracy)}) to ${titleOf(to.at)} (${percent(to.greedy.accuracy)}): ${points(difference)} points`;
  if (!paired) return `${what}.`;
  const interval = `95 % interval ${points(paired.low)} to ${points(paired.high)}`;
  const chance = paired.holdsZero ? ', which holds zero: the change may be chance' : '';
  return `${what}, ${interval}${chance}; ${plural(paired.won, 'problem')} won, ${count(paired.lost)} lost.`;
}

/** The interval is the normal one of the mean of paired differences: each problem counts +1, 0 or -1. */
async function gainOf(run: RunData, tables: Tables, from: TestResult, to: TestResult): Promise<Gain> {
  const gain = { from, to, difference: to.greedy.accuracy - from.greedy.accuracy };
  const [before, after] = [from, to].map(({ at }) => tableOf(run.dir, `test-${at}`));
  if (!before || !after) return gain;
  const { problems, won, lost } = await tables.flips(before, after);
  if (problems !== to.greedy.problems) return gain;
  const mean = (won - lost) / problems;
  const half = 1.96 * Math.sqrt(((won + lost) / problems - mean ** 2) / problems);
  const [low, high] = [mean - half, mean + half];
  return { ...gain, paired: { won, lost, low, high, holdsZero: low <= 0 && high >= 0 } };
}

function testTable(title: string, tests: readonly TestResult[]): Markup {
  const [start] = startsOf(tests);
  const gained = ({ at, greedy }: TestResult): Part =>
    start && start.at !== at ? points(greedy.accuracy - start.greedy.accuracy) : '';
  return table(title, tests, [
    ['checkpoint', ({ at }) => titleOf(at)],
    ['accuracy', ({ greedy }) => percent(greedy.accuracy)],
    ['95 % interval', ({ greedy }) => `${percent(greedy.low)} to ${percent(greedy.high)}`],
    [start ? `points over ${titleOf(start.at)}` : 'points', gained],
    ['right', ({ greedy }) => `${count(greedy.correct)} of ${count(greedy.problems)}`],
    ['unreadable', ({ greedy }) => percent(greedy.unreadable)],
    ['tokens per response', ({ greedy }) => decimal(greedy.meanTokens, 1)],
    ['failed', ({ greedy }) => count(greedy.failed)],
  ]);
}

function sampledFacts({ at, samples }: NonNullable<RunData['final']>): Markup {
  const { k, temperature, problems } = samples;
  const first = `${titleOf(at)}, ${count(k)} responses to each of ${plural(problems, 'test problem')} at temperature ${temperature}`;
  return html`<div><h3>Sampled at the end</h3><p>${first}.</p>${facts([
    ['one response', percent(samples.passAt1)],
    [`Pass@${k}`, percent(samples.passAtK)],
    ['Reward-Pass@2', percent(samples.rewardPassAt2)],
    ['Reward-Pass@2 of different texts', percent(samples.rewardPassAt2Distinct)],
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
  const done = last ? `Last finished: ${titleOf(last)}` : 'No phase is finished yet';
  const open = run.open.length > 0 ? `; begun: ${run.open.map(titleOf).join(', ')}` : '';
  const of =
    iterations > 0
      ? ` ${run.iterations.length} of ${plural(iterations, 'iteration')} done.`
      : limit > 0
        ? ` ${count(stepsOf(run))} of ${plural(limit, 'optimizer step')} done.`
        : '';
  return html`<p class="warning" role="note"><strong>This run is not finished.</strong> ${done}${open}.${of} This page shows what there is.</p>`;
}

function stepsOf({ iterations }: RunData): number {
  return sum(iterations.map(({ training }) => training.steps));
}

/** The settings that matter most, the counts, and every setting as it was resolved. */
export function about(run: RunData): Section {
  const value = (name: string): Part => {
    const found = run.setting(name);
    if (found === undefined || found === null) return null;
    return Number.isInteger(found) ? count(found as number) : textOf(found);
  };
  const generated = run.setting('data.generate') !== undefined;
  const entries: (readonly [string, Part])[] = [
    ['model', value('model.path')],
    ['data', generated ? html`${value('data.generate.count')} generated problems` : value('data.file')],
    ['seed', value('seed')],
    ['method', value('evolve.method')],
    ['iterations', iterationsOf(run)],
    ['optimizer steps', count(stepsOf(run))],
    ['problems without answers', unlabelled(run)],
    ['problems per iteration', value('evolve.interval')],
    ['responses per problem', value('evolve.n')],
    ['selection', ruleOf(run)],
    ['learning rate', value('evolve.optimizer.lr')],
    ['batch', value('evolve.optimizer.batchSize')],
    ['validation problems', count(run.dynamics[0]?.greedy.problems)],
    ['test problems', count(run.tests[0]?.greedy.problems)],
    ['settings', html`<code title="SHA-256 of config.yaml">${run.configDigest.slice(0, 16)}</code>`],
    [
      'problems',
      run.problemsDigest && html`<code title="digest of the problems">${run.problemsDigest.slice(0, 16)}</code>`,
    ],
  ];
  return section(
    ['run', 'Run'],
    'What the run did',
    facts(entries.filter(([, part]) => part !== null && part !== '')),
    fold('Every setting (config.yaml)', html`<pre tabindex="0">${run.configText}</pre>`),
    run.failures.length > 0 && failures(run),
  );
}

function unlabelled(run: RunData): string | null {
  const answers = textOf(run.setting('evolve.unlabelled.answers') ?? 'none');
  if (answers === 'none') return null;
  const taken = sum(run.iterations.map((one) => one.unlabelled));
  const how = answers === 'oracle' ? 'with their true answers' : 'by pseudo labels';
  return `${count(taken)} ${how}, after ${percent(Number(run.setting('evolve.unlabelled.after') ?? 0))} of the training`;
}

function ruleOf(run: RunData): string {
  if (run.setting('evolve.method') === 'grpo') return 'all responses to questions that have better and worse ones';
  const rule = textOf(run.setting('evolve.select.rule'));
  if (rule === 'threshold') {
    const threshold = textOf(run.threshold?.chosen ?? run.setting('evolve.select.threshold'));
    return `right, reward at least ${threshold}${run.threshold ? ', searched for' : ''}`;
  }
  if (rule === 'all') return 'all right';
  const k = textOf(run.setting('evolve.select.k'));
  return rule === 'top' ? `right, ${k} of highest reward` : `right, ${k} at random`;
}

/** Problems that could not be sampled, with the phases that tried. */
function failures({ failures: all }: RunData): Markup {
  const most = 100;
  const found = new Map<string, { readonly problem: string; readonly reason: string; readonly when: Set<string> }>();
  for (const { problem, phase, reason } of all) {
    const key = JSON.stringify([problem, reason]);
    const one = found.get(key) ?? { problem, reason, when: new Set() };
    found.set(key, one);
    one.when.add(titleOf(phase));
  }
  const title = `${plural(found.size, 'problem')} could not be sampled`;
  return fold(
    title,
    table(title, [...found.values()].slice(0, most), [
      ['problem', ({ problem }) => problem],
      ['reason', ({ reason }) => reason],
      ['when', ({ when }) => [...when].join(', ')],
    ]),
    found.size > most && html`<p>${count(found.size - most)} more are in journal.jsonl.</p>`,
  );
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

interface Spent {
  readonly name: string;
  /** Null where it was not timed. */
  readonly seconds: number | null;
  readonly tokens: TokenCounts;
}

/** Wall-clock seconds and tokens by phase: the one place of the report that differs between two equal runs. */
export function time({ commits, seconds, open }: RunData): Section {
  const nothing: TokenCounts = { sampled: 0, scored: 0, trained: 0 };
  const all: Spent[] = [
    ...commits.map(({ phase, tokens }) => ({ name: phase, seconds: seconds[phase] ?? null, tokens })),
    ...open.flatMap((phase) =>
      phase in seconds ? [{ name: phase, seconds: seconds[phase] ?? null, tokens: nothing }] : [],
    ),
  ];
  if (all.length === 0) return section(['time', 'Time'], 'Time and tokens', note('No phase has been timed yet.'));
  const kinds = [...groupBy(all, ({ name }) => workOf(name))].map(([kind, some]) => total(kind, some));
  const whole = total('all', all);
  const timed = kinds.filter((kind): kind is Spent & { seconds: number } => kind.seconds !== null);
  const share = (value: number): string => (whole.seconds ? ` (${((value / whole.seconds) * 100).toFixed(0)} %)` : '');
  const columns: Column<Spent>[] = [
    ['', ({ name }) => name],
    ['time', (one) => duration(one.seconds)],
    ['tokens sampled', ({ tokens }) => count(tokens.sampled)],
    ['tokens scored', ({ tokens }) => count(tokens.scored)],
    ['tokens trained on', ({ tokens }) => count(tokens.trained)],
  ];
  const phasesByTitle = all.map((one) => ({ ...one, name: titleOf(one.name) }));
  return section(
    ['time', 'Time'],
    'Time and tokens',
    note(
      `${duration(whole.seconds)} in all, over every process that worked on the run. Tokens are those of responses, without prompts.`,
    ),
    timed.length > 0 &&
      figure({
        id: 'time-kinds',
        title: 'Wall-clock time by kind of work',
        chart: lyingBars(
          timed.map(({ name, seconds: value }) => ({ name, value, text: duration(value) + share(value) })),
        ),
      }),
    table('By kind of work', [...kinds, whole], columns),
    fold('Every phase', table('By phase', phasesByTitle, columns)),
  );
}

function workOf(phase: string): string {
  const { kind } = kindOf(phase) ?? {};
  if (isIteration(phase)) return 'iterations';
  if (kind === (phases.dynamics as unknown)) return 'dynamics';
  const tests: readonly unknown[] = [phases.test, phases.outOfDomain, phases.finalTest];
  return tests.includes(kind) ? 'tests' : titleOf(phase);
}

function total(name: string, spent: readonly Spent[]): Spent {
  const add = (kind: keyof TokenCounts): number => sum(spent.map(({ tokens }) => tokens[kind]));
  const seconds = spent.flatMap((one) => one.seconds ?? []);
  return {
    name,
    seconds: seconds.length === 0 ? null : sum(seconds),
    tokens: { sampled: add('sampled'), scored: add('scored'), trained: add('trained') },
  };
}
