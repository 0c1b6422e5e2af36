// Loss, gradient norm and learning rate over the optimizer steps of the warm-up and of all iterations.

import { isIteration, titleOf } from '../../../evolve/phases.js';
import type { Colour } from '../../../page/charts/axes.js';
import { lineChart } from '../../../page/charts/line.js';
import { type CurvePoint, thin } from '../../../page/charts/thin.js';
import { count, plural, significant } from '../../../page/format.js';
import { html, type Markup, type Part } from '../../../page/html.js';
import { figure, note, type Section, section, smallGrid, table } from '../../../page/parts.js';
import type { StepEvent } from '../../../record/results.js';
import { shortName } from '../names.js';
import type { RunData } from '../read.js';

/** The optimizer steps of one phase. */
export interface Stretch {
  readonly phase: string;
  readonly steps: readonly StepEvent[];
}

const MOST_POINTS = 240;
const MOST_BORDERS = 12;

export function training({ steps }: RunData): Section {
  const stretches = [...steps].map(([phase, some]): Stretch => ({ phase, steps: some }));
  const warmup = stretches.filter(({ phase }) => phase === 'warmup');
  const iterations = stretches.filter(({ phase }) => isIteration(phase));
  if (stretches.length === 0) return section('training', 'Training', note('No optimizer step has been taken yet.'));
  return section(
    'training',
    'Training',
    iterations.length > 0 && html`<h3>Iterations</h3>${smallGrid(curveFigures('policy', 'Iterations', iterations))}`,
    warmup.length > 0 && html`<h3>Warm-up</h3>${smallGrid(curveFigures('warmup', 'Warm-up', warmup))}`,
    numbers(stretches),
  );
}

/** Three charts over the optimizer steps of these phases, one after the other: loss, gradient norm, learning rate. */
export function curveFigures(id: string, name: string, stretches: readonly Stretch[]): Markup[] {
  const all = stretches.flatMap(({ steps }) => steps);
  if (all.length === 0) return [];
  let before = 0;
  const starts = stretches.map(({ phase, steps }) => {
    const start = { x: before + 1, name: shortName(phase) };
    before += steps.length;
    return start;
  });
  const borders = starts.length > 1 && starts.length <= MOST_BORDERS ? starts : [];
  const thinned = all.length > MOST_POINTS && `Means over about ${count(all.length / MOST_POINTS)} steps. `;
  const marks = borders.length > 0 && 'Numbers above: where iterations begin.';
  const one = (kind: string, title: string, colour: Colour, read: (step: StepEvent) => number | null): Markup => {
    const points = all.map((step, i): CurvePoint => [i + 1, read(step)]);
    const finite = points.flatMap(([, y]) => y ?? []);
    const chart = lineChart({
      id: `${id}-${kind}`,
      title: `${name}: ${title} by optimizer step`,
      description: `${plural(all.length, 'optimizer step')}, first ${significant(finite[0])}, last ${significant(finite.at(-1))}`,
      xName: 'optimizer step',
      lines: [{ name: title, colour, points: thin(points, MOST_POINTS) }],
      marked: all.length < 8,
      borders,
    });
    return figure({ title, note: (thinned || marks) && [thinned, marks], chart });
  };
  return [
    one('loss', 'Training loss', 'var(--s1)', ({ loss }) => loss),
    one('norm', 'Gradient norm', 'var(--s3)', ({ gradNorm }) => gradNorm),
    one('rate', 'Learning rate', 'var(--s2)', ({ lr }) => lr),
  ];
}

function numbers(stretches: readonly Stretch[]): Markup {
  const rows = stretches.map(({ phase, steps }): Part[] => {
    const losses = steps.flatMap(({ loss }) => loss ?? []);
    const norms = steps.flatMap(({ gradNorm }) => gradNorm ?? []);
    return [
      titleOf(phase),
      count(steps.length),
      significant(losses[0]),
      significant(losses.at(-1)),
      significant(norms.length > 0 ? norms.reduce((sum, norm) => sum + norm, 0) / norms.length : null),
      significant(steps.at(-1)?.lr),
      count(steps.reduce((sum, { tokens }) => sum + tokens, 0)),
    ];
  });
  const head = ['phase', 'optimizer steps', 'first loss', 'last loss', 'mean gradient norm', 'last rate', 'tokens'];
  return table('Training by phase', head, rows);
}
