// The kinds of charts of the report: lines over iterations or steps, stacked bars, accuracies with intervals.
// Leaves drawing to svg.ts and the numbers to the sections.
import type { CustomSeriesRenderItemAPI, CustomSeriesRenderItemParams } from 'echarts';
import type { EChartsCoreOption } from 'echarts/core';
import type { Markup } from './html.js';
import { drawSvg } from './svg.js';

/** A colour of the page, by the name of its CSS variable: it follows light and dark. */
export type Colour = `var(--${string})`;

export interface ChartText {
  readonly id: string;
  readonly title: string;
  readonly description: string;
}

export interface Line {
  readonly name: string;
  readonly colour: Colour;
  /** [x, y]; a null y leaves a gap. x is a place among `categories` or a number. */
  readonly points: readonly (readonly [number, number | null])[];
  readonly dashed?: boolean;
}

export interface LineChartSpec extends ChartText {
  readonly xName: string;
  /** Names of places 0, 1, 2...; a plain number axis where they are left out. */
  readonly categories?: readonly string[];
  readonly lines: readonly Line[];
  /** y is a share, shown in percent. */
  readonly share?: boolean;
  /** Names at the ends of the lines; for more than one line. */
  readonly named?: boolean;
  /** Markers on the points; off for long curves. */
  readonly marked?: boolean;
  /** Vertical marks. */
  readonly borders?: readonly { readonly x: number; readonly name: string }[];
}

const INK = 'var(--ink)';
const MUTED = 'var(--muted)';
const RULE = 'var(--rule)';
const FONT = 'system-ui, sans-serif';
const SYMBOLS = ['circle', 'rect', 'triangle', 'diamond', 'emptyCircle', 'emptyRect', 'emptyTriangle', 'emptyDiamond'];

/** Wide enough for its numbers, narrow enough that they stay readable on a phone. */
const WIDTH = 460;
const HEIGHT = 270;
/** Names on an axis that all fit beside each other. */
const MOST_NAMES = 9;

const label = { color: MUTED, fontFamily: FONT, fontSize: 12 };
const quiet = { silent: true, emphasis: { disabled: true } } as const;
const toPercent = (value: number): string => `${Number((value * 100).toFixed(1))} %`;

function axisX(name: string, categories?: readonly string[]): object {
  const shared = {
    name,
    nameLocation: 'middle',
    nameGap: 26,
    nameTextStyle: label,
    axisLabel: { ...label, hideOverlap: true, ...(categories && categories.length <= MOST_NAMES && { interval: 0 }) },
    axisLine: { lineStyle: { color: MUTED } },
    axisTick: { lineStyle: { color: MUTED }, alignWithLabel: true },
    splitLine: { show: false },
  };
  return categories ? { ...shared, type: 'category', data: categories } : { ...shared, type: 'value', scale: true };
}

/** @param values what is drawn; shares get their own scale, which leaves no room above 100 % and shows small changes as small */
function axisY(share: boolean, values: readonly number[], fromZero = false): object {
  return {
    type: 'value',
    scale: !fromZero,
    splitNumber: 4,
    ...(share && shareScale(fromZero ? [0, ...values] : values)),
    axisLabel: { ...label, ...(share && { formatter: toPercent }) },
    axisLine: { show: false },
    axisTick: { show: false },
    splitLine: { lineStyle: { color: RULE } },
  };
}

/** Least height of an axis of shares. */
const LEAST_SPAN = 0.08;
const STEPS = [0.02, 0.05, 0.1, 0.2, 0.25];

function shareScale(values: readonly number[]): object {
  if (values.length === 0) return { min: 0, max: 1, interval: 0.25 };
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const step = STEPS.find((one) => Math.max(high - low, LEAST_SPAN) <= 4.5 * one) ?? 0.25;
  const max = Math.min(Math.max(1, high), step * Math.ceil(high / step - 1e-9));
  const min = Math.min(step * Math.floor(low / step + 1e-9), max - LEAST_SPAN);
  return { min: step * Math.floor(min / step + 1e-9), max, interval: step };
}

/** Lines over a shared x; each has its own colour, marker and, where asked, its name at its end. */
export function lineChart(spec: LineChartSpec): Markup {
  const { xName, categories, lines, share = false, named = lines.length > 1, marked = true } = spec;
  const longest = named ? Math.max(...lines.map(({ name }) => name.length)) : 0;
  const borders = (spec.borders ?? []).map(({ x, name }) => ({ xAxis: x, label: { formatter: name } }));
  const series = lines.map(({ name, colour, points, dashed = false }, i) => ({
    type: 'line',
    ...quiet,
    name,
    data: points,
    showSymbol: marked,
    symbol: SYMBOLS[i % SYMBOLS.length],
    symbolSize: 8,
    lineStyle: { color: colour, width: 2, type: dashed ? 'dashed' : 'solid' },
    itemStyle: { color: colour },
    endLabel: { show: named, formatter: '{a}', color: colour, fontFamily: FONT, fontSize: 12, distance: 8 },
    labelLayout: { moveOverlap: 'shiftY' },
    ...(i === 0 && {
      markLine: {
        ...quiet,
        symbol: 'none',
        data: borders,
        lineStyle: { color: RULE, type: 'solid', width: 1 },
        label: { color: MUTED, fontFamily: FONT, fontSize: 11, position: 'end', distance: 3 },
      },
    }),
  }));
  const option = {
    grid: { left: 58, right: 18 + longest * 7, top: borders.length > 0 ? 24 : 14, bottom: 44 },
    xAxis: axisX(xName, categories),
    yAxis: axisY(share, lines.flatMap(({ points }) => points.flatMap(([, y]) => y ?? []))),
    series,
  };
  return draw(spec, option);
}

export interface Bars {
  readonly name: string;
  readonly colour: Colour;
  /** One value per category. */
  readonly values: readonly number[];
}

export interface BarChartSpec extends ChartText {
  readonly xName: string;
  readonly categories: readonly string[];
  readonly bars: readonly Bars[];
  /** On top of each other, else side by side. */
  readonly stacked?: boolean;
  readonly share?: boolean;
}

export function barChart({ xName, categories, bars, stacked = false, share = false, ...text }: BarChartSpec): Markup {
  const series = bars.map(({ name, colour, values }) => ({
    type: 'bar',
    ...quiet,
    name,
    data: values,
    ...(stacked && { stack: 'all' }),
    barMaxWidth: 44,
    barGap: '8%',
    itemStyle: { color: colour, borderColor: 'var(--panel)', borderWidth: stacked ? 1 : 0 },
  }));
  const option = {
    grid: { left: 58, right: 14, top: 14, bottom: 44 },
    xAxis: axisX(xName, categories),
    yAxis: axisY(share, bars.flatMap(({ values }) => values), true),
    series,
  };
  return draw(text, option);
}

/** Bars that lie, with their names before and their values after them; for names that are words. */
export function lyingBars(spec: ChartText & { readonly rows: readonly { name: string; value: number; text: string }[] }): Markup {
  const { rows } = spec;
  const names = rows.map(({ name }) => name);
  const option = {
    grid: { left: 12 + Math.max(...names.map((name) => name.length)) * 7, right: 84, top: 6, bottom: 6 },
    xAxis: { type: 'value', show: false },
    yAxis: {
      type: 'category',
      inverse: true,
      data: names,
      axisLabel: { ...label, color: INK },
      axisLine: { show: false },
      axisTick: { show: false },
    },
    series: [
      {
        type: 'bar',
        ...quiet,
        data: rows.map(({ value }) => value),
        barMaxWidth: 20,
        itemStyle: { color: 'var(--s1)' },
        label: {
          show: true,
          position: 'right',
          formatter: ({ dataIndex }: { dataIndex: number }) => rows[dataIndex]?.text ?? '',
          ...label,
        },
      },
    ],
  };
  return draw(spec, option, 24 + rows.length * 30);
}

export interface Estimate {
  readonly name: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Shares with their intervals, one for each category. */
export function intervalChart(spec: ChartText & { readonly xName: string; readonly estimates: readonly Estimate[] }): Markup {
  const { estimates, xName } = spec;
  const crowded = estimates.length > 9;
  const last = estimates.length - 1;
  const whisker = (_: CustomSeriesRenderItemParams, api: CustomSeriesRenderItemAPI): object => {
    const [x, top] = api.coord([api.value(0), api.value(2)]) as [number, number];
    const bottom = (api.coord([api.value(0), api.value(1)]) as [number, number])[1];
    const style = { stroke: MUTED, lineWidth: 1.5 };
    const line = (x1: number, y1: number, x2: number, y2: number): object => ({ type: 'line', shape: { x1, y1, x2, y2 }, style });
    return {
      type: 'group',
      children: [line(x, top, x, bottom), line(x - 5, top, x + 5, top), line(x - 5, bottom, x + 5, bottom)],
    };
  };
  const option = {
    grid: { left: 58, right: 18, top: 20, bottom: 44 },
    xAxis: axisX(xName, estimates.map(({ name }) => name)),
    yAxis: axisY(true, estimates.flatMap(({ low, high }) => [low, high])),
    series: [
      {
        type: 'line',
        ...quiet,
        data: estimates.map(({ value }) => value),
        symbol: 'circle',
        symbolSize: 9,
        lineStyle: { color: 'var(--s1)', width: 2 },
        itemStyle: { color: 'var(--s1)' },
      },
      { type: 'custom', ...quiet, renderItem: whisker, encode: { x: 0, y: [1, 2] }, data: estimates.map(({ low, high }, i) => [i, low, high]) },
      {
        // Stands on the upper ends, where neither line nor interval is in its way.
        type: 'scatter',
        ...quiet,
        data: estimates.map(({ high }) => high),
        symbolSize: 0,
        label: {
          show: true,
          position: 'top',
          formatter: ({ dataIndex: i }: { dataIndex: number }) =>
            crowded && i > 1 && i < last ? '' : ((estimates[i] as Estimate).value * 100).toFixed(1),
          color: INK,
          fontFamily: FONT,
          fontSize: 12,
        },
      },
    ],
  };
  return draw(spec, option);
}

function draw({ id, title, description }: ChartText, option: EChartsCoreOption, height = HEIGHT): Markup {
  return drawSvg({ id, title, description, width: WIDTH, height, option });
}

const RAMP = 8;

/** Colour of place `i` of `n` in an order, cold to hot. */
export function rampColour(i: number, n: number): Colour {
  const place = n <= 1 ? 0 : Math.round((i / (n - 1)) * (RAMP - 1));
  return `var(--t${place})`;
}
