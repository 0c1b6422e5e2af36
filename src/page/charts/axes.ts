// What all charts share: what a chart is, its axes, and colours that follow light and dark.
import type { EChartsCoreOption } from 'echarts/core';
import { significant } from '../format.js';

/** A colour of the page, by the name of its CSS variable: it follows light and dark. */
export type Colour = `var(--${string})`;

/** A chart to be drawn by `figure`, and the same in words. */
export interface Chart {
  readonly option: EChartsCoreOption;
  /** For readers who do not see it. */
  readonly description: string;
  /** In pixels; the common size where they are left out. */
  readonly width?: number;
  readonly height?: number;
  /** Places on its axes with what a pointer that rests there is told. */
  readonly hints?: readonly { readonly at: readonly [x: number, y: number]; readonly text: string }[];
  /** Names and colours of its parts, where the chart itself does not name them. */
  readonly legend?: readonly { readonly name: string; readonly colour: string }[];
}

export const INK = 'var(--ink)';
export const MUTED = 'var(--muted)';
export const RULE = 'var(--rule)';
export const FONT = 'system-ui, sans-serif';

/** Wide enough for its numbers, narrow enough that they stay readable on a phone. */
export const WIDTH = 420;
export const HEIGHT = 256;
/** Of a row of names under an axis. */
const ROW = 14;

export const label = { color: MUTED, fontFamily: FONT, fontSize: 12 };
export const quiet = { silent: true, emphasis: { disabled: true } } as const;

export interface Grid {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Room for the numbers of a y axis. */
export function leftOf(share: boolean): number {
  return share ? 48 : 58;
}

/** Room for any of these texts beside a chart. */
export function roomFor(texts: readonly string[]): number {
  return 12 + 7 * Math.max(0, ...texts.map((text) => text.length));
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
  const formatter = (text: string, at: number): string => (shown(at) ? '\n'.repeat(rows?.[at] ?? 0) + text : '');
  // Numbers go from the first value to the last; a single one stands in the middle.
  type Extent = { readonly min: number; readonly max: number };
  const xAxis = categories
    ? {
        ...shared,
        axisLabel: { ...label, lineHeight: ROW, interval: 0, formatter },
        type: 'category',
        data: categories,
      }
    : {
        ...shared,
        axisLabel: { ...label, hideOverlap: true },
        type: 'value',
        min: ({ min, max }: Extent) => (min === max ? min - 1 : min),
        max: ({ min, max }: Extent) => (min === max ? max + 1 : max),
      };
  return { xAxis, grid: { ...around, bottom: 44 + more } };
}

/** @param values what is drawn; shares get their own scale, which leaves no room above 100 % and shows small changes as small */
export function axisY(share: boolean, values: readonly number[], fromZero = false): object {
  const toPercent = (value: number): string => `${Number((value * 100).toFixed(1))} %`;
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

/** The y axis of rows whose names are words, the first one on top. */
export function axisOfNames(names: readonly string[]): object {
  return {
    type: 'category',
    inverse: true,
    data: names,
    axisLabel: { ...label, color: INK },
    axisLine: { show: false },
    axisTick: { show: false },
  };
}

/** A scale of shares around these values. */
export function shareScale(values: readonly number[]): { min: number; max: number; interval: number } {
  if (values.length === 0) return { min: 0, max: 1, interval: 0.25 };
  const leastSpan = 0.08;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const step = [0.02, 0.05, 0.1, 0.2].find((one) => Math.max(high - low, leastSpan) <= 4.5 * one) ?? 0.25;
  const below = (value: number): number => step * Math.floor(value / step + 1e-9);
  const top = Math.min(1, step * Math.ceil(high / step - 1e-9));
  // A narrow range grows downwards, but not below zero, then upwards.
  const min = Math.min(below(low), Math.max(0, below(top - leastSpan)));
  return { min, max: Math.max(top, min + leastSpan), interval: step };
}

/** Colour of place `i` of `n` in an order, cold to hot. */
export function rampColour(i: number, n: number): Colour {
  return `var(--t${n <= 1 ? 0 : Math.round((i / (n - 1)) * 7)})`;
}

/** Of a letter in the font of an axis, in pixels. */
const LETTER = 6.6;

/**
 * Which names an axis shows and in which of its rows: a word is moved down where it would run into another, a number left out.
 * @param names at equal distances over `width` pixels, each in the middle of its part
 * @returns the row of each name from 0 down, null for those left out: numbers that tell themselves from their neighbours,
 *   and words only where no row has room
 */
export function tickRows(names: readonly string[], width: number): (number | null)[] {
  const part = width / names.length;
  const room = 5;
  const depth = 3;
  const span = (i: number): readonly [number, number] => {
    const half = ((names[i] as string).length * LETTER + room) / 2;
    return [(i + 0.5) * part - half, (i + 0.5) * part + half];
  };
  const rows = names.map((): number | null => null);
  const free = (i: number, row: number): boolean =>
    names.every((_, other) => rows[other] !== row || span(other)[0] >= span(i)[1] || span(other)[1] <= span(i)[0]);
  const isNumber = (name: string): boolean => /^[\d.]+$/.test(name);
  const order = (which: (name: string) => boolean): number[] => names.flatMap((name, i) => (which(name) ? [i] : []));
  for (const i of order((name) => !isNumber(name))) {
    const row = Array.from({ length: depth }, (_, one) => one).find((one) => free(i, one));
    rows[i] = row ?? null;
  }
  const numbers = order(isNumber);
  const widest = Math.max(0, ...numbers.map((i) => span(i)[1] - span(i)[0]));
  const stride = Math.max(1, Math.ceil(widest / part));
  for (const [place, i] of numbers.entries()) if (place % stride === 0 && free(i, 0)) rows[i] = 0;
  return rows;
}
