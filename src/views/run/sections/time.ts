// Wall-clock seconds and tokens by phase: the one place of the report that differs between two equal runs.

import { isIteration, kindOf, phases, titleOf } from '../../../evolve/phases.js';
import { lyingBars } from '../../../page/charts/bars.js';
import { count, duration } from '../../../page/format.js';
import type { Part } from '../../../page/html.js';
import { figure, fold, note, type Section, section, table } from '../../../page/parts.js';
import type { TokenCounts } from '../../../run/journal.js';
import type { RunData } from '../read.js';

interface Spent {
  readonly name: string;
  readonly seconds: number | null;
  readonly tokens: TokenCounts;
}

export function time({ commits: done, seconds, open }: RunData): Section {
  const nothing: TokenCounts = { sampled: 0, scored: 0, trained: 0 };
  const committed = done.map(({ phase, tokens }): Spent => ({ name: phase, seconds: seconds[phase] ?? null, tokens }));
  const begun = open.flatMap((phase): Spent[] =>
    seconds[phase] === undefined ? [] : [{ name: phase, seconds: seconds[phase], tokens: nothing }],
  );
  const all = [...committed, ...begun];
  if (all.length === 0) return section(['time', 'Time'], 'Time and tokens', note('No phase has been timed yet.'));
  const kinds = [...new Set(all.map(({ name }) => workOf(name)))].map((kind) =>
    total(
      kind,
      all.filter(({ name }) => workOf(name) === kind),
    ),
  );
  const sum = total('all', all);
  const timed = kinds.filter((kind): kind is Spent & { seconds: number } => kind.seconds !== null);
  const share = (value: number): string => (sum.seconds ? ` (${((value / sum.seconds) * 100).toFixed(0)} %)` : '');
  const chart =
    timed.length > 0 &&
    figure({
      title: 'Wall-clock time by kind of work',
      chart: lyingBars({
        id: 'time-kinds',
        title: 'Wall-clock time by kind of work',
        description: timed.map(({ name, seconds: value }) => `${name} ${duration(value)}`).join(', '),
        rows: timed.map(({ name, seconds: value }) => ({ name, value, text: duration(value) + share(value) })),
      }),
    });
  const head = ['', 'time', 'tokens sampled', 'tokens scored', 'tokens trained on'];
  const row = ({ name, seconds: value, tokens }: Spent): Part[] => [
    name,
    duration(value),
    count(tokens.sampled),
    count(tokens.scored),
    count(tokens.trained),
  ];
  return section(
    ['time', 'Time'],
    'Time and tokens',
    note(
      `${duration(sum.seconds)} in all, over every process that worked on the run. Tokens are those of responses, without prompts.`,
    ),
    chart,
    table('By kind of work', head, [...kinds, sum].map(row)),
    fold(
      'Every phase',
      table(
        'By phase',
        head,
        all.map((one) => row({ ...one, name: titleOf(one.name) })),
      ),
    ),
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
  const add = (kind: keyof TokenCounts): number => spent.reduce((sum, { tokens }) => sum + tokens[kind], 0);
  const seconds = spent.flatMap(({ seconds: value }) => value ?? []);
  return {
    name,
    seconds: seconds.length === 0 ? null : seconds.reduce((sum, value) => sum + value, 0),
    tokens: { sampled: add('sampled'), scored: add('scored'), trained: add('trained') },
  };
}
