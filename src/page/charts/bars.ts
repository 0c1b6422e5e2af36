// Bars: standing ones side by side or on top of each other, and lying ones whose names are words.
import { count, percent } from '../format.js';
import { axisOfNames, axisX, axisY, type Chart, type Colour, label, leftOf, quiet, roomFor } from './axes.js';

/** Bars of one colour, one value per category. */
export interface Bars {
  readonly name: string;
  readonly colour: Colour;
  readonly values: readonly number[];
}

/** @param spec `stacked`: on top of each other, else side by side; `share`: values are shares, shown in percent */
export function barChart(spec: {
  readonly xName: string;
  readonly categories: readonly string[];
  readonly bars: readonly Bars[];
  readonly stacked?: boolean;
  readonly share?: boolean;
}): Chart {
  const { xName, categories, bars, stacked = false, share = false } = spec;
  const all = bars.flatMap(({ values }) => values);
  const told = share ? percent : count;
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
  return {
    option: {
      ...axisX(xName, { left: leftOf(share), right: 14, top: 14 }, categories),
      yAxis: axisY(share, all, true),
      series,
    },
    description: bars
      .map(({ name, values }) => `${name}: ${values.map((one, i) => `${told(one)} at ${categories[i]}`).join(', ')}`)
      .join('; '),
    legend: bars.length > 1 ? bars : [],
  };
}

/** Bars that lie, with their names before and their values as text after them; for names that are words. */
export function lyingBars(rows: readonly { name: string; value: number; text: string }[]): Chart {
  const names = rows.map(({ name }) => name);
  const formatter = ({ dataIndex }: { dataIndex: number }): string => rows[dataIndex]?.text ?? '';
  return {
    option: {
      grid: { left: roomFor(names), right: roomFor(rows.map(({ text }) => text)), top: 6, bottom: 6 },
      xAxis: { type: 'value', show: false },
      yAxis: axisOfNames(names),
      series: [
        {
          type: 'bar',
          ...quiet,
          data: rows.map(({ value }) => value),
          barMaxWidth: 20,
          itemStyle: { color: 'var(--s1)' },
          label: { show: true, position: 'right', formatter, ...label },
        },
      ],
    },
    description: rows.map(({ name, text }) => `${name} ${text}`).join(', '),
    height: 24 + rows.length * 30,
  };
}
