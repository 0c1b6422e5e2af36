// Means with their intervals: shares over a common axis, and rows below each other whose names are words.
import type { CustomSeriesRenderItemAPI, CustomSeriesRenderItemParams } from 'echarts';
import { ranged } from '../format.js';
import { axisOfNames, axisX, axisY, type Chart, INK, label, leftOf, MUTED, quiet, RULE, roomFor } from './axes.js';

/** A share, 0..1, or a difference of shares, with its interval; no ends where there is none. */
interface Estimate {
  readonly name: string;
  readonly mean: number;
  readonly low: number | null;
  readonly high: number | null;
}

/** @param joined the categories follow one another, and a line says so */
export function intervalChart(
  xName: string,
  estimates: readonly (Estimate & { readonly low: number; readonly high: number })[],
  joined = true,
): Chart {
  // Where there is no room for all values: the one that training starts from, after the base model, and the last.
  const crowded = estimates.length > 9;
  const [start, last] = [1, estimates.length - 1];
  const formatter = ({ dataIndex: i }: { dataIndex: number }): string =>
    crowded && i !== last && i !== start ? '' : ((estimates[i]?.mean ?? 0) * 100).toFixed(1);
  const series = [
    {
      type: 'line',
      ...quiet,
      data: estimates.map(({ mean }) => mean),
      symbol: 'circle',
      symbolSize: 9,
      showAllSymbol: true,
      lineStyle: { color: 'var(--s1)', width: joined ? 2 : 0 },
      itemStyle: { color: 'var(--s1)' },
    },
    whiskers(
      'upright',
      estimates.map(({ low, high }, i) => [i, low, i, high]),
    ),
    {
      // Stands on the upper ends, where neither line nor interval is in its way.
      type: 'scatter',
      ...quiet,
      data: estimates.map(({ high }) => high),
      symbolSize: 0,
      label: { show: true, position: 'top', formatter, ...label, color: INK },
    },
  ];
  const ends = estimates.flatMap(({ low, high }) => [low, high]);
  const names = estimates.map(({ name }) => name);
  return {
    option: { ...axisX(xName, { left: leftOf(true), right: 18, top: 20 }, names), yAxis: axisY(true, ends), series },
    description: estimates.map((one) => `${one.name} ${ranged(one)}`).join(', '),
  };
}

export interface ForestRow extends Estimate {
  /** Single values, drawn small: seeds, for example. */
  readonly values?: readonly number[];
  /** What stands behind the row. */
  readonly text: string;
}

/** @param mark where a line stands: zero for differences */
export function forestChart(xName: string, rows: readonly ForestRow[], mark?: number): Chart {
  const all = rows.flatMap(({ mean, low, high, values = [] }) => [mean, low ?? mean, high ?? mean, ...values]);
  if (mark !== undefined) all.push(mark);
  const margin = Math.max(0.005, (Math.max(...all) - Math.min(...all)) * 0.05);
  const min = Math.floor((Math.min(...all) - margin) * 100) / 100;
  const max = Math.ceil((Math.max(...all) + margin) * 100) / 100;
  const names = rows.map(({ name }) => name);
  const { xAxis, grid } = axisX(xName, { left: roomFor(names), right: roomFor(rows.map(({ text }) => text)), top: 8 });
  const toPercent = (value: number): string => String(Number((value * 100).toFixed(1)));
  const formatter = ({ dataIndex }: { dataIndex: number }): string => rows[dataIndex]?.text ?? '';
  const dots = (
    data: readonly (readonly number[])[],
    symbolSize: number,
    color: string,
    more: object = {},
  ): object => ({
    type: 'scatter',
    ...quiet,
    symbolSize,
    itemStyle: { color },
    data,
    ...more,
  });
  const line = {
    ...quiet,
    symbol: 'none',
    data: [{ xAxis: mark }],
    label: { show: false },
    lineStyle: { color: INK, type: 'solid', width: 1 },
  };
  const option = {
    grid,
    xAxis: {
      ...xAxis,
      min,
      max,
      axisLabel: { ...label, formatter: toPercent, hideOverlap: true },
      splitLine: { show: true, lineStyle: { color: RULE } },
    },
    yAxis: axisOfNames(names),
    series: [
      whiskers(
        'lying',
        rows.flatMap(({ low, high }, i) => (low === null || high === null ? [] : [[low, i, high, i]])),
      ),
      dots(
        rows.flatMap(({ values = [] }, i) => values.map((value) => [value, i])),
        5,
        MUTED,
        { itemStyle: { color: MUTED, opacity: 0.55 } },
      ),
      dots(
        rows.map(({ mean }, i) => [mean, i]),
        10,
        'var(--s1)',
        mark === undefined ? {} : { markLine: line },
      ),
      // Texts at the right end of each row.
      dots(
        rows.map((_, i) => [max, i]),
        0,
        MUTED,
        { label: { show: true, position: 'right', formatter, ...label, color: INK } },
      ),
    ],
  };
  const description = rows.map(({ name, text }) => `${name}: ${text}`).join(', ');
  return { option, description, width: 720, height: 60 + rows.length * 30 };
}

/** A line from each [x, y] to its [x, y], with a bar across both ends. */
function whiskers(
  way: 'upright' | 'lying',
  data: readonly (readonly [number, number, number, number] | number[])[],
): object {
  const renderItem = (_: CustomSeriesRenderItemParams, api: CustomSeriesRenderItemAPI): object => {
    const [x1, y1] = api.coord([api.value(0), api.value(1)]) as [number, number];
    const [x2, y2] = api.coord([api.value(2), api.value(3)]) as [number, number];
    const [dx, dy] = way === 'upright' ? [5, 0] : [0, 5];
    const line = (...[ax, ay, bx, by]: [number, number, number, number]): object => ({
      type: 'line',
      shape: { x1: ax, y1: ay, x2: bx, y2: by },
      style: { stroke: MUTED, lineWidth: 1.5 },
    });
    const bar = (x: number, y: number): object => line(x - dx, y - dy, x + dx, y + dy);
    return { type: 'group', children: [line(x1, y1, x2, y2), bar(x1, y1), bar(x2, y2)] };
  };
  return { type: 'custom', ...quiet, renderItem, encode: { x: [0, 2], y: [1, 3] }, data };
}
