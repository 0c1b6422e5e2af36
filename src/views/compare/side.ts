// A run as one of several: its letter, its colour and its curves over the axes that they share.
import { isIteration } from '../../evolve/phases.js';
import type { Colour } from '../../page/charts/axes.js';
import { html, type Markup } from '../../page/html.js';
import type { Measurement, SampleMeasure, StepEvent } from '../../record/results.js';
import type { RunData } from '../run/read.js';

export interface Side {
  /** A, B, C... */
  readonly letter: string;
  readonly name: string;
  readonly colour: Colour;
  readonly run: RunData;
  /** Optimizer steps of the policy. */
  readonly steps: number;
}

/** In order of use: the first ones are easiest to tell apart, in light and dark and for colour-blind readers. */
const COLOURS = ['s1', 's2', 's3', 't4', 't1', 'ink', 't7', 'bad'] as const;

export function sidesOf(runs: readonly RunData[], names: readonly string[]): Side[] {
  return runs.map((run, i) => ({
    letter: String.fromCharCode(65 + i),
    name: names[i] as string,
    colour: `var(--${COLOURS[i % COLOURS.length]})`,
    run,
    steps: policySteps(run).length,
  }));
}

/** Letters and colours of the runs, for above their charts. */
export function keyOf(sides: readonly Side[]): Markup {
  return html`<ul class="legend key">${sides.map(
    ({ letter, name, colour }) => html`<li><i style="background:${colour}"></i><b>${letter}</b> ${name}</li>`,
  )}</ul>`;
}

/** The policy's optimizer steps over all iterations. */
export function policySteps({ steps }: RunData): StepEvent[] {
  return [...steps].flatMap(([phase, some]) => (isIteration(phase) ? some : []));
}

/** Test accuracies over the policy's optimizer steps that were taken before; the base model is on this axis only without warm-up. */
export function testsByStep({ tests, steps, setting }: RunData): [number, number][] {
  let taken = 0;
  return tests.flatMap(({ at, greedy }): [number, number][] => {
    if (at === 'base' && setting('warmup.enabled') !== false) return [];
    if (isIteration(at)) taken += steps.get(at)?.length ?? 0;
    return [[taken, greedy.accuracy]];
  });
}

/**
 * The temperature to compare the dynamics at: measured after every iteration of every run, and of those the one nearest to
 * what the first run began with. Null where there is none.
 */
export function sharedTemperature(sides: readonly Side[]): number | null {
  const measured = sides.map(({ run }) => run.dynamics).filter((standings) => standings.length > 0);
  const [first, ...others] = measured.map(followed);
  const shared = (first ?? []).filter((t) => others.every((some) => some.includes(t)));
  const wanted = Number(sides[0]?.run.setting('evolve.temperature') ?? 1);
  return shared.sort((a, b) => Math.abs(a - wanted) - Math.abs(b - wanted) || a - b)[0] ?? null;
}

/** What a measurement came to at a temperature. */
export function samplesAt({ samples }: Measurement, temperature: number | null): SampleMeasure | undefined {
  return samples.find((one) => one.temperature === temperature);
}

/** Temperatures that every measurement has. */
function followed(standings: readonly Measurement[]): number[] {
  const [first, ...others] = standings;
  const all = first?.samples.map(({ temperature }) => temperature) ?? [];
  return all.filter((t) => others.every((measurement) => samplesAt(measurement, t)));
}
