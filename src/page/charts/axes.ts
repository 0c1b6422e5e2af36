// What all charts share: size, fonts, axes, colours that follow light and dark.
import type { EChartsCoreOption } from 'echarts/core';
import { significant } from '../format.js';
import type { Markup } from '../html.js';
import { drawSvg } from './svg.js';
import { tickRows } from './ticks.js';

/** A colour of the page, by the name of its CSS variable: it follows light and dark. */
export type Colour = `var(--${string})`;

export interface ChartText {
  readonly id: string;
  readonly title: string;
  readonly description: string;
}

export const INK = 'var(--ink)';
export const MUTED = 'var(--muted)';
export const RULE = 'var(--rule)';
export const FONT = 'system-ui, sans-serif';

/** Wide enough for its numbers, narrow enough that they stay readable on a phone. */
const WIDTH = 420;
export const HEIGHT = 256;
/** Room for the numbers of the y axis. */
export const LEFT = { share: 48, number: 58 } as const;
/** Of a row of names under an axis. */
const ROW = 14;
/** Room under an axis with one row of names. */
const BOTTOM = 44;

export const label = { color: MUTED, fontFamily: FONT, fontSize: 12 };
export const quiet = { silent: true, emphasis: { disabled: true } } as const;
const toPercent = (value: number): string => `${Number((value * 100).toFixed(1))} %`;

export interface Grid {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/**
 * The x axis and the room around a chart of the common width, which depends on the names.
 * @param categories names of places 0, 1, 2...; a plain number axis where they are left out
 */
export function axisX(
  name: string,
  around: Omit<Grid, 'bottom'>,
  categories?: readonly string[],
): { readonly xAxis: object; readonly grid: Grid } {
  const rows = categories && tickRows(categories, WIDTH - around.left - around.right);
  const more = ROW * Math.max(0, ...(rows ?? []).map((row) => row ?? 0));
  const shown = (index: number): boolean => rows?.[index] !== null;
  const shared = {
    name,
    nameLocation: 'middle',
    nameGap: 26 + more,
    nameTextStyle: label,
    axisLine: { lineStyle: { color: MUTED } },
    axisTick: { lineStyle: { color: MUTED }, alignWithLabel: true, ...(rows && { interval: shown }) },
    splitLine: { show: false },
  };
  // Names that are left out are empty: of an interval the library hides more, taking rows for overlaps.
  const named = (text: string, index: number): string => (shown(index) ? '\n'.repeat(rows?.[index] ?? 0) + text : '');
  const xAxis = categories
    ? {
        ...shared,
        axisLabel: {
          ...label,
          lineHeight: ROW,
          interval: 0,
          formatter: named,
        },
        type: 'category',
        data: categories,
      }
    : { ...shared, axisLabel: { ...label, hideOverlap: true }, type: 'value', ...whole };
  return { xAxis, grid: { ...around, bottom: BOTTOM + more } };
}

/** From the first value to the last; a single one in the middle. */
const end =
  (step: number) =>
  ({ min, max }: { readonly min: number; readonly max: number }): number =>
    (step < 0 ? min : max) + (min === max ? step : 0);
const whole = { min: end(-1), max: end(1) };

/** @param values what is drawn; shares get their own scale, which leaves no room above 100 % and shows small changes as small */
export function axisY(share: boolean, values: readonly number[], fromZero = false): object {
  return {
    type: 'value',
    scale: !fromZero,
    splitNumber: 4,
    ...(share && shareScale(fromZero ? [0, ...values] : values)),
    axisLabel: { ...label, formatter: share ? toPercent : significant },
    axisLine: { show: false },
    axisTick: { show: false },
    splitLine: { lineStyle: { color: RULE } },
  };
}

/** Least height of an axis of shares. */
const LEAST_SPAN = 0.08;
const STEPS = [0.02, 0.05, 0.1, 0.2, 0.25];

/** A scale of shares around these values. */
export function shareScale(values: readonly number[]): { min: number; max: number; interval: number } {
  if (values.length === 0) return { min: 0, max: 1, interval: 0.25 };
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const step = STEPS.find((one) => Math.max(high - low, LEAST_SPAN) <= 4.5 * one) ?? 0.25;
  const below = (value: number): number => step * Math.floor(value / step + 1e-9);
  const top = Math.min(1, step * Math.ceil(high / step - 1e-9));
  // A narrow range grows downwards, but not below zero, then upwards.
  const min = Math.min(below(low), Math.max(0, below(top - LEAST_SPAN)));
  return { min, max: Math.max(top, min + LEAST_SPAN), interval: step };
}

/** Draws a chart, of the common width where none is given. */
export function draw(
  { id, title, description }: ChartText,
  option: EChartsCoreOption,
  height = HEIGHT,
  width = WIDTH,
): Markup {
  return drawSvg({ id, title, description, width, height, option });
}

const RAMP = 8;

/** Colour of place `i` of `n` in an order, cold to hot. */
export function rampColour(i: number, n: number): Colour {
  const place = n <= 1 ? 0 : Math.round((i / (n - 1)) * (RAMP - 1));
  return `var(--t${place})`;
}
