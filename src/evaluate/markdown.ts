// evaluation.md: the tables of an evaluation as Markdown.
// Leaves the numbers to tabulate.ts and the page with charts to page.ts.
import { count, decimal, percent, points } from '../report/format.js';
import type { Interval } from './bootstrap.js';
import type { Curve, Difference, Evaluation, SetTables, WrongAnswer } from './evaluation.js';

/** Characters of a wrong answer that are shown. */
const SHOWN = 600;

export function renderMarkdown(evaluation: Evaluation): string {
  const { benchmark, sets, wrong } = evaluation;
  const parts = [
    `# ${benchmark?.title ?? 'Evaluation'}`,
    headLines(evaluation).join('\n'),
    ...sets.flatMap((set) => setParts(set, evaluation.protocol)),
    ...(wrong.length > 0 ? ['## Some wrong answers', ...wrong.map(wrongPart)] : []),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** What every reader must know of the numbers, one sentence each. */
export function headLines({ protocol, describe, judge, bootstrap, files, leftOut, benchmark }: Evaluation): string[] {
  return [
    `Protocol: **${protocol}** (${describe}).`,
    `Intervals: ${Math.round(bootstrap.level * 100)} %, percentile bootstrap over questions, ${bootstrap.resamples} resamples, seed ${bootstrap.seed}.`,
    `Read from ${files.join(', ')}.`,
    ...(leftOut > 0 ? [`${leftOut} rollouts of problems that ${benchmark?.name} leaves out.`] : []),
    ...(judge
      ? [
          `Judge: ${judge.model} was shown ${judge.asked} distinct responses without a readable answer and found one in ${judge.read}.`,
        ]
      : []),
  ];
}

/** `59.3 % (54.1 to 64.0)` */
export function shown({ mean, low, high }: Interval): string {
  return `${percent(mean)} (${percent(low).replace(' %', '')} to ${percent(high).replace(' %', '')})`;
}

/** A set in one line. */
export function aboutSet({ questions, problems, n, failed, cutOff, meanTokens }: Omit<SetTables, 'parts'>): string {
  const rotations = problems > questions ? ` in ${count(problems)} rotations` : '';
  const lost = failed > 0 ? `, ${count(failed)} could not be sampled` : '';
  return `${count(questions)} questions${rotations}, ${n} ${n === 1 ? 'response' : 'responses'} each${lost}; ${decimal(meanTokens, 1)} tokens a response, ${percent(cutOff)} cut off.`;
}

function setParts(set: SetTables, protocol: string): string[] {
  const rotated = set.scores.some(({ vanilla }) => vanilla !== null);
  const head = [
    'protocol',
    rotated ? 'circular accuracy' : 'accuracy',
    ...(rotated ? ['first rotation'] : []),
    'unreadable',
  ];
  const scores = set.scores.map(({ protocol: name, accuracy, vanilla, unreadable }) => [
    name,
    shown(accuracy),
    ...(rotated ? [vanilla ? shown(vanilla) : '–'] : []),
    percent(unreadable),
  ]);
  return [
    `## ${set.name}`,
    aboutSet(set),
    table(head, scores),
    ...(set.curves.length > 0 ? [`Over N samples, by protocol ${protocol}:`, curveTable(set.curves)] : []),
    ...(set.differences.length > 0
      ? [
          `Differences in points on the same questions, at N = ${set.n}, by protocol ${protocol}:`,
          differenceTable(set.differences),
        ]
      : []),
    ...set.parts.flatMap(({ title, rows }) => {
      const names = Object.keys(rows[0]?.sampled ?? {});
      return [
        `### By ${title} (protocol ${protocol})`,
        table(
          [title, 'questions', 'accuracy', ...names.map((name) => `${name}, N = ${set.n}`), 'unreadable'],
          rows.map(({ part, questions, accuracy, sampled, unreadable }) => [
            part,
            count(questions),
            shown(accuracy),
            ...names.map((name) => shown(sampled[name] as Interval)),
            percent(unreadable),
          ]),
        ),
      ];
    }),
  ];
}

/** Paired differences in points. */
export function differenceTable(differences: readonly Difference[]): string {
  return table(
    ['first', 'second', 'difference', '95 % interval'],
    differences.map(({ first, second, mean, low, high }) => [
      first,
      second,
      points(mean),
      `${points(low)} to ${points(high)}`,
    ]),
  );
}

/** Curves over the number of samples. */
export function curveTable(curves: readonly Curve[]): string {
  const numbers = curves[0]?.points.map(({ n }) => n) ?? [];
  return table(
    ['N', ...curves.map(({ name }) => name)],
    numbers.map((n, i) => [String(n), ...curves.map(({ points: all }) => shown(all[i] as Interval))]),
  );
}

function wrongPart({ set, problem, question, answer, text, verdict, reason }: WrongAnswer): string {
  const cut = text.length > SHOWN ? `${text.slice(0, SHOWN)}...` : text;
  return [
    `### ${cell(problem)} (${set}): ${verdict}`,
    `Gold answer: ${cell(answer)}. ${cell(reason)}`,
    quote(question),
    'Response:',
    quote(cut || '(empty)'),
  ].join('\n\n');
}

/** A table, its first column to the left. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), `|${head.map((_, i) => (i === 0 ? ' --- ' : ' ---: ')).join('|')}|`, ...rows.map(line)].join(
    '\n',
  );
}

/** A text that cannot end a cell or a line. */
function cell(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replaceAll('|', '\\|')
    .replace(/[<&]/g, (mark) => (mark === '<' ? '&lt;' : '&amp;'));
}

/** A text as it stands, in a block that nothing in it can end. */
function quote(text: string): string {
  return text
    .split(/\r\n|\r|\n/)
    .map((line) => `    ${line}`)
    .join('\n');
}
