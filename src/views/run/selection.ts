// What selection kept of the responses, and the process reward model that it goes by.
import { sum } from '../../core/lists.js';
import { iterationName } from '../../evolve/phases.js';
import { type LuckyShares, luckyShares } from '../../evolve/summary.js';
import { type Bars, barChart } from '../../page/charts/bars.js';
import { lineChart } from '../../page/charts/line.js';
import { count, decimal, percent, plural, significant } from '../../page/format.js';
import { html, type Markup, type Part } from '../../page/html.js';
import { facts, figure, fold, grid, note, type Section, section, table } from '../../page/parts.js';
import type { ChoiceCounts, LabelResult, PrmResult, ThresholdDecision } from '../../record/results.js';
import type { LabelCount, Tables } from '../../record/tables.js';
import { curveFigures } from './course.js';
import { fileOf, type RunData, startOrNumber, tableOf } from './read.js';

/** One pass of selection: the warm-up or an iteration. */
interface Pass {
  readonly name: string;
  readonly choice: ChoiceCounts;
  /** Problems with 0, 1, 2... kept responses, where the rows are there. */
  readonly kept: readonly number[] | null;
  /** Null where the truth is not known. */
  readonly lucky: LuckyShares | null;
}

/** Problems by number of kept responses, the way from samples to examples, the share of luck. */
export async function selection(run: RunData, tables: Tables): Promise<Section> {
  const passOf = async (name: string, table: string, choice: ChoiceCounts): Promise<Pass> => {
    const path = tableOf(run.dir, table);
    const rows = path ? await tables.keptPerProblem(path) : null;
    const known = rows ? rows.truthKnown : choice.luckyDistinct > 0;
    return { name, choice, kept: rows?.problems ?? null, lucky: known ? luckyShares(choice) : null };
  };
  const warmups = run.warmup ? [await passOf('warm-up', 'warmup', run.warmup.choice)] : [];
  const iterations: Pass[] = [];
  for (const { iteration, choice } of run.iterations)
    iterations.push(await passOf(String(iteration), iterationName(iteration), choice));
  const passes = [...warmups, ...iterations];
  if (passes.length === 0) return section('selection', 'Selection', note('Nothing has been selected yet.'));
  const known = iterations.filter(({ lucky }) => lucky);
  return section(
    'selection',
    'Selection',
    note(
      iterations.some(({ choice }) => choice.groups)
        ? 'Iterations train on all responses to a question, right and wrong, unless all are worth the same.'
        : 'Of the right responses, repeats are dropped and the selection rule keeps some as training examples.',
      known.length > 0 &&
        ' Lucky: the answer is right, but a step of the reasoning is wrong, by the true reasoning that generated problems come with.',
    ),
    grid(iterations.some(({ kept }) => kept) && keptFigure(iterations), known.length > 0 && luckFigure(known)),
    fold(
      'Numbers',
      table('From responses to training examples', passes, [
        ['pass', ({ name }) => (/^\d/.test(name) ? `iteration ${name}` : name)],
        ['problems', ({ choice }) => count(choice.problems)],
        ['responses', ({ choice }) => count(choice.sampled)],
        ['unreadable', ({ choice }) => count(choice.unreadable)],
        ['cut off', ({ choice }) => count(choice.cutOff)],
        ['right', ({ choice }) => count(choice.correct)],
        ['different right', ({ choice }) => count(choice.distinct)],
        ['selected', ({ choice }) => count(choice.selected)],
        ['problems by kept', ({ kept }) => kept?.map((problems, i) => `${i}: ${count(problems)}`).join(', ')],
        ['lucky before', ({ lucky }) => lucky && percent(lucky.before)],
        ['lucky after', ({ lucky }) => lucky && percent(lucky.after)],
        ['lucky at random', ({ lucky }) => lucky && percent(lucky.chance)],
        ['failed', ({ choice }) => count(choice.failed)],
      ]),
    ),
    run.threshold && thresholds(run.threshold),
  );
}

/** What each threshold would have kept of the first iteration, and what training on that came to. */
function thresholds({ chosen, scores }: ThresholdDecision): Markup {
  const title = `Trained from the warm-up on the first iteration with each; ${chosen} was taken`;
  return html`<h3>Search for the threshold</h3>${table(title, scores, [
    ['threshold', ({ threshold }) => (threshold === chosen ? html`<b>${chosen}</b>` : String(threshold))],
    ['examples', ({ selected }) => count(selected)],
    ['problems with none', ({ kept }) => count(kept[0] ?? 0)],
    ['optimizer steps', ({ steps }) => count(steps)],
    ['greedy on validation', ({ accuracy }) => percent(accuracy)],
  ])}`;
}

function keptFigure(passes: readonly Pass[]): Markup {
  // So many have a bar of their own; more are counted together.
  const many = 4;
  const most = Math.min(many, Math.max(1, ...passes.map(({ kept }) => (kept?.length ?? 1) - 1)));
  const bars = Array.from({ length: most + 1 }, (_, kept): Bars => {
    const open = kept === many;
    return {
      name: `${kept}${open ? ' or more' : ''} kept`,
      colour: kept === 0 ? 'var(--s0)' : `var(--k${kept})`,
      values: passes.map(({ kept: problems = [] }) => sum(problems?.slice(kept, open ? undefined : kept + 1) ?? [])),
    };
  });
  return figure({
    id: 'selection-kept',
    title: 'Problems by number of kept responses',
    chart: barChart({ xName: 'iteration', categories: passes.map(({ name }) => name), bars, stacked: true }),
  });
}

function luckFigure(passes: readonly Pass[]): Markup {
  const barsOf = (name: string, colour: Bars['colour'], share: keyof LuckyShares): Bars => {
    return { name, colour, values: passes.map(({ lucky }) => lucky?.[share] ?? 0) };
  };
  const bars = [barsOf('different right answers', 'var(--s2)', 'before')];
  if (drawn(passes).length > 0) bars.push(barsOf('as many at random', 'var(--s3)', 'chance'));
  bars.push(barsOf('selected', 'var(--s1)', 'after'));
  return figure({
    id: 'selection-luck',
    title: 'Lucky share, before and after selection',
    note: luckSentence(passes),
    chart: barChart({ xName: 'iteration', categories: passes.map(({ name }) => name), bars, share: true }),
  });
}

/** Those of which it is known what a random draw would have given. */
const drawn = (passes: readonly Pass[]): Pass[] => passes.filter(({ lucky }) => lucky?.chance !== undefined);

/** What the bars come to. */
function luckSentence(passes: readonly Pass[]): string {
  const shareOf = (some: readonly Pass[], part: keyof ChoiceCounts, whole: keyof ChoiceCounts): string => {
    const all = (key: keyof ChoiceCounts): number => sum(some.map(({ choice }) => Number(choice[key])));
    return percent(all(part) / all(whole));
  };
  const before = shareOf(passes, 'luckyDistinct', 'distinct');
  const after = shareOf(passes, 'luckySelected', 'selected');
  const shares = `In all, ${before} of the different right answers and ${after} of the selected ones are lucky`;
  const compared = drawn(passes);
  if (compared.length === 0) return `${shares}. mstar prm compares this with a choice at random.`;
  // Shares are quotients of sums that were rounded in different orders.
  const differences = compared.map(({ lucky }) => (lucky?.after ?? 0) - (lucky?.chance ?? 0));
  const [lower, equal, higher] = [-1, 0, 1].map((sign) =>
    count(differences.filter((one) => (Math.abs(one) < 1e-9 ? 0 : Math.sign(one)) === sign).length),
  );
  const chance = shareOf(compared, 'luckyByChance', 'selected');
  return `${shares}; a random draw of as many to each problem would have ${chance}. The share of the selected is below that of the draw in ${lower}, equal in ${equal}, above it in ${higher} of ${plural(compared.length, 'iteration')}.`;
}

/** The PRM's labels, its training, and how well its step scores tell right from wrong. */
export async function prm(run: RunData, tables: Tables): Promise<Section> {
  const { labels, prm: training } = run;
  const file = labels && fileOf(run.dir, 'labels.jsonl');
  const steps = run.steps.get('train-prm') ?? [];
  const path = run.setting('prm.path');
  if (path !== undefined)
    return section(
      'prm',
      'PRM',
      note(`It comes from ${path}: the run labels no steps and trains none.`),
      grid(qualityFigure(run)),
    );
  if (!labels && steps.length === 0) return section('prm', 'PRM', note('There are no step labels yet.'));
  const [loss] = curveFigures('prm', [['train-prm', steps]]);
  return section(
    'prm',
    'PRM',
    note(
      'The process reward model scores every step of a response. It learns from the share of completions from the end of a step that reach the right answer.',
    ),
    labels && labelFacts(labels),
    grid(file && labelFigure(await tables.labelCounts(file)), loss, qualityFigure(run)),
    training &&
      note(
        `Trained on ${count(training.examples)} responses in ${count(training.steps)} optimizer steps: squared error ${significant(training.firstLoss)} in the first tenth, ${significant(training.lastLoss)} in the last.`,
        training.heldOut && ` ${heldOutSentence(training.heldOut)}`,
      ),
  );
}

function heldOutSentence(heldOut: NonNullable<PrmResult['heldOut']>): string {
  const { steps, responses, mse, baselineMse, correlation } = heldOut;
  const error = `squared error ${significant(mse)}, where always saying the mean label has ${significant(baselineMse)}`;
  return `On ${count(steps)} steps of ${count(responses)} responses kept out of the training: ${error}; correlation with the labels ${decimal(correlation, 2)} (mstar prm tells more).`;
}

function labelFacts(labels: LabelResult): Markup {
  return facts([
    ['problems sampled', count(labels.problems)],
    ['labelled responses', count(labels.pairs - labels.failed)],
    ['right', percent(labels.right / labels.pairs)],
    ['multiple choice', percent(labels.multipleChoice / labels.pairs)],
    ['labelled steps', count(labels.steps)],
    ['mean label', decimal(labels.meanLabel, 2)],
  ]);
}

function labelFigure(counts: readonly LabelCount[]): Markup {
  const exact = [...new Set(counts.map(({ label }) => label))].sort((a, b) => a - b);
  // More values than this are put into tenths.
  const tenths = exact.length > 17;
  const placeOf = (label: number): number => (tenths ? Math.min(9, Math.floor(label * 10)) : exact.indexOf(label));
  const categories = tenths
    ? Array.from({ length: 10 }, (_, i) => `${i / 10}–${(i + 1) / 10}`)
    : exact.map((label) => String(Number(label.toFixed(3))));
  const barsOf = (name: string, colour: Bars['colour'], truth: boolean | null): Bars => {
    const values = categories.map(() => 0);
    for (const one of counts) if (one.truth === truth) values[placeOf(one.label)]! += one.count;
    return { name, colour, values };
  };
  const meanOf = (truth: boolean): string => {
    const own = counts.filter((one) => one.truth === truth);
    return decimal(sum(own.map((one) => one.label * one.count)) / sum(own.map((one) => one.count)), 2);
  };
  const known = counts.some(({ truth }) => truth !== null);
  const bars = known
    ? [barsOf('right step', 'var(--s1)', true), barsOf('wrong step', 'var(--s2)', false)]
    : [barsOf('steps', 'var(--s1)', null)];
  return figure({
    id: 'prm-labels',
    title: 'Labels of the training data',
    note: known && `By the true reasoning. Mean label of right steps ${meanOf(true)}, of wrong ones ${meanOf(false)}.`,
    chart: barChart({ xName: 'label: share of right completions', categories, bars, stacked: true }),
    numbers: table(
      'Labelled steps by label',
      categories.map((_, i) => i),
      [
        ['label', (i) => categories[i]],
        ...bars.map(({ name, values }) => [name, (i: number): Part => count(values[i])] as const),
      ],
    ),
  });
}

/** Where the truth of steps is known: how well scores separate steps up to which the reasoning is right from the others. */
function qualityFigure({ dynamics, final }: RunData): Part {
  const found = dynamics.flatMap(({ iteration, steps }) => (steps ? [{ name: startOrNumber(iteration), steps }] : []));
  if (found.length === 0) return null;
  const pointsOf = (key: 'auc' | 'accuracy' | 'sound') => found.map(({ steps }, i) => [i, steps[key]] as const);
  const title = 'Step scores against the true reasoning';
  return figure({
    id: 'prm-quality',
    title,
    note: 'AUC: chance that a right step scores above a wrong one. Accuracy: share of scores on the right side of 0.5. Right: share of steps up to which the reasoning is right.',
    chart: lineChart({
      xName: 'iteration',
      categories: found.map(({ name }) => name),
      lines: [
        { name: 'AUC', colour: 'var(--s1)', points: pointsOf('auc') },
        { name: 'accuracy', colour: 'var(--s3)', points: pointsOf('accuracy') },
        { name: 'right', colour: 'var(--s2)', dashed: true, points: pointsOf('sound') },
      ],
      share: true,
    }),
    numbers: table(title, final?.steps ? [...found, { name: 'final test', steps: final.steps }] : found, [
      ['iteration', ({ name }) => name],
      ['AUC', ({ steps }) => decimal(steps.auc, 3)],
      ['accuracy', ({ steps }) => percent(steps.accuracy)],
      ['right', ({ steps }) => percent(steps.sound)],
      ['steps', ({ steps }) => count(steps.steps)],
    ]),
  });
}
