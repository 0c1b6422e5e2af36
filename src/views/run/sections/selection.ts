// What selection kept: problems by number of kept responses, the way from samples to examples, the share of luck.
import { iterationName } from '../../../evolve/phases.js';
import { type Bars, barChart } from '../../../page/charts/bars.js';
import { count, percent, plural } from '../../../page/format.js';
import { html, type Markup, type Part } from '../../../page/html.js';
import { figure, fold, grid, note, type Section, section, table } from '../../../page/parts.js';
import type { ChoiceCounts, ThresholdDecision } from '../../../record/results.js';
import type { Tables } from '../../../record/tables.js';
import { fileOf, type RunData } from '../read.js';

/** One pass of selection: the warm-up or an iteration. */
interface Pass {
  readonly name: string;
  readonly choice: ChoiceCounts;
  /** Problems with 0, 1, 2... kept responses, where the rows are there. */
  readonly kept: readonly number[] | null;
  readonly truthKnown: boolean;
}

/** Kept responses that get a bar of their own; more are counted together. */
const MOST_KEPT = 4;

export async function selection(run: RunData, tables: Tables): Promise<Section> {
  const passes: Pass[] = [];
  if (run.warmup) passes.push(await passOf(run, tables, 'warm-up', 'warmup', run.warmup.choice));
  const warmups = passes.length;
  for (const { iteration, choice } of run.iterations) {
    passes.push(await passOf(run, tables, String(iteration), iterationName(iteration), choice));
  }
  if (passes.length === 0) return section('selection', 'Selection', note('Nothing has been selected yet.'));
  const iterations = passes.slice(warmups);
  const known = iterations.filter(({ truthKnown }) => truthKnown);
  return section(
    'selection',
    'Selection',
    note(
      'Of the right responses, repeats are dropped and the selection rule keeps some as training examples.',
      known.length > 0 &&
        ' Lucky: the answer is right, but a step of the reasoning is wrong, by the true reasoning that generated problems come with.',
    ),
    grid(iterations.some(({ kept }) => kept) && keptFigure(iterations), known.length > 0 && luckFigure(known)),
    fold('Numbers', numbers(passes)),
    run.threshold && thresholds(run.threshold),
  );
}

/** What each threshold would have kept of the first iteration, and what training on that came to. */
function thresholds({ chosen, scores }: ThresholdDecision): Markup {
  const rows = scores.map((score): Part[] => [
    score.threshold === chosen ? html`<b>${score.threshold}</b>` : String(score.threshold),
    count(score.selected),
    count(score.kept[0] ?? 0),
    count(score.steps),
    percent(score.accuracy),
  ]);
  return html`<h3>Search for the threshold</h3>${table(
    `Trained from the warm-up on the first iteration with each; ${chosen} was taken`,
    ['threshold', 'examples', 'problems with none', 'optimizer steps', 'greedy on validation'],
    rows,
  )}`;
}

async function passOf(run: RunData, tables: Tables, name: string, file: string, choice: ChoiceCounts): Promise<Pass> {
  const path = fileOf(run, `rollouts/${file}.parquet`);
  if (!path) return { name, choice, kept: null, truthKnown: choice.luckyDistinct > 0 };
  const { problems, truthKnown } = await tables.keptPerProblem(path);
  return { name, choice, kept: problems, truthKnown };
}

function keptFigure(passes: readonly Pass[]): Markup {
  const most = Math.min(MOST_KEPT, Math.max(...passes.map(({ kept }) => (kept?.length ?? 1) - 1)));
  const bars = Array.from({ length: most + 1 }, (_, kept): Bars => {
    const open = kept === MOST_KEPT;
    const values = passes.map(({ kept: problems }) =>
      open ? sum(problems?.slice(kept) ?? []) : (problems?.[kept] ?? 0),
    );
    return {
      name: `${kept}${open ? ' or more' : ''} kept`,
      colour: kept === 0 ? 'var(--s0)' : `var(--k${kept})`,
      values,
    };
  });
  const chart = barChart({
    id: 'selection-kept',
    title: 'Problems by number of kept responses',
    description: bars.map(({ name, values }) => `${name}: ${values.map(count).join(', ')}`).join('; '),
    xName: 'iteration',
    categories: passes.map(({ name }) => name),
    bars,
    stacked: true,
  });
  return figure({ title: 'Problems by number of kept responses', chart, legend: bars });
}

function luckFigure(passes: readonly Pass[]): Markup {
  const bars: Bars[] = [
    {
      name: 'different right answers',
      colour: 'var(--s2)',
      values: passes.map(({ choice }) => share(choice.luckyDistinct, choice.distinct) ?? 0),
    },
    {
      name: 'selected',
      colour: 'var(--s1)',
      values: passes.map(({ choice }) => share(choice.luckySelected, choice.selected) ?? 0),
    },
  ];
  const chart = barChart({
    id: 'selection-luck',
    title: 'Share of lucky responses before and after selection',
    description: bars.map(({ name, values }) => `${name}: ${values.map(percent).join(', ')}`).join('; '),
    xName: 'iteration',
    categories: passes.map(({ name }) => name),
    bars,
    share: true,
  });
  return figure({
    title: 'Lucky share, before and after selection',
    note: luckSentence(passes),
    chart,
    legend: bars,
  });
}

/** What the bars come to; whether it is more than a choice at random would give, only `mstar prm` can tell. */
function luckSentence(passes: readonly Pass[]): string {
  const differences = passes.map(
    ({ choice }) =>
      (share(choice.luckySelected, choice.selected) ?? 0) - (share(choice.luckyDistinct, choice.distinct) ?? 0),
  );
  const among = (name: string, fits: (difference: number) => boolean): string =>
    `${name} in ${count(differences.filter(fits).length)}`;
  const ways = [
    among('lower', (one) => one < 0),
    among('equal', (one) => one === 0),
    among('higher', (one) => one > 0),
  ];
  const all = (of: (choice: ChoiceCounts) => number): number => sum(passes.map(({ choice }) => of(choice)));
  const inAll = (part: number, whole: number): string => `${percent(share(part, whole))} of ${count(whole)}`;
  const before = inAll(
    all((choice) => choice.luckyDistinct),
    all((choice) => choice.distinct),
  );
  const after = inAll(
    all((choice) => choice.luckySelected),
    all((choice) => choice.selected),
  );
  return `The share after selection is ${ways.join(', ')} of ${plural(passes.length, 'iteration')}; in all ${before} different right answers and ${after} selected ones are lucky. mstar prm compares this with a choice at random.`;
}

function numbers(passes: readonly Pass[]): Markup {
  const rows = passes.map(({ name, choice, kept, truthKnown }): Part[] => [
    /^\d/.test(name) ? `iteration ${name}` : name,
    count(choice.problems),
    count(choice.sampled),
    count(choice.unreadable),
    count(choice.cutOff),
    count(choice.correct),
    count(choice.distinct),
    count(choice.selected),
    kept ? kept.map((problems, i) => `${i}: ${count(problems)}`).join(', ') : '',
    truthKnown ? percent(share(choice.luckyDistinct, choice.distinct)) : '',
    truthKnown ? percent(share(choice.luckySelected, choice.selected)) : '',
    count(choice.failed),
  ]);
  const head = [
    'pass',
    'problems',
    'responses',
    'unreadable',
    'cut off',
    'right',
    'different right',
    'selected',
    'problems by kept',
    'lucky before',
    'lucky after',
    'failed',
  ];
  return table('From responses to training examples', head, rows);
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
