// Bars: standing ones side by side or on top of each other, and lying ones whose names are words.
import type { Markup } from '../html.js';
import { axisX, axisY, type ChartText, type Colour, draw, INK, LEFT, label, quiet } from './axes.js';

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
    ...axisX(xName, { left: share ? LEFT.share : LEFT.number, right: 14, top: 14 }, categories),
    yAxis: axisY(
      share,
      bars.flatMap(({ values }) => values),
      true,
    ),
    series,
  };
  return draw(text, option);
}

/** Bars that lie, with their names before and their values after them; for names that are words. */
export function lyingBars(
  spec: ChartText & { readonly rows: readonly { name: string; value: number; text: string }[] },
): Markup {
  const { rows } = spec;
  const names = rows.map(({ name }) => name);
  const option = {
    grid: { left: 12 + longest(names), right: 12 + longest(rows.map(({ text }) => text)), top: 6, bottom: 6 },
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

/** Room for any of these texts, in pixels. */
function longest(texts: readonly string[]): number {
  return Math.max(...texts.map((text) => text.length)) * 7;
}
