// Estimates with their intervals, one below the other, for rows whose names are words; and differences around zero.
import type { CustomSeriesRenderItemAPI, CustomSeriesRenderItemParams } from 'echarts';
import type { Markup } from '../html.js';
import { axisX, type ChartText, draw, INK, label, MUTED, quiet, RULE } from './axes.js';

export interface ForestRow {
  readonly name: string;
  readonly value: number;
  /** Ends of the interval; null where there is none. */
  readonly low: number | null;
  readonly high: number | null;
  /** Single values, drawn small: seeds, for example. */
  readonly values?: readonly number[];
  /** What stands behind the row. */
  readonly text: string;
}

export interface ForestSpec extends ChartText {
  readonly xName: string;
  readonly rows: readonly ForestRow[];
  /** Where a line stands: zero for differences. */
  readonly mark?: number;
}

const ROW = 30;
const WIDTH = 720;

/** Values are shares, shown in percent. */
export function forestChart({ xName, rows, mark, ...text }: ForestSpec): Markup {
  const room = (texts: readonly string[]): number => 14 + Math.max(...texts.map((one) => one.length)) * 6.6;
  const all = rows.flatMap(({ value, low, high, values = [] }) => [value, low ?? value, high ?? value, ...values]);
  const [least, most] = [
    Math.min(...all, mark ?? Number.POSITIVE_INFINITY),
    Math.max(...all, mark ?? Number.NEGATIVE_INFINITY),
  ];
  const margin = Math.max(0.005, (most - least) * 0.05);
  const whisker = (_: CustomSeriesRenderItemParams, api: CustomSeriesRenderItemAPI): object => {
    const place = api.value(2);
    const [left, y] = api.coord([api.value(0), place]) as [number, number];
    const right = (api.coord([api.value(1), place]) as [number, number])[0];
    const line = (x1: number, y1: number, x2: number, y2: number): object => ({
      type: 'line',
      shape: { x1, y1, x2, y2 },
      style: { stroke: MUTED, lineWidth: 1.5 },
    });
    return {
      type: 'group',
      children: [line(left, y, right, y), line(left, y - 5, left, y + 5), line(right, y - 5, right, y + 5)],
    };
  };
  const intervals = rows.flatMap(({ low, high }, i) => (low === null || high === null ? [] : [[low, high, i]]));
  const around = { left: room(rows.map(({ name }) => name)), right: room(rows.map((row) => row.text)), top: 8 };
  const { xAxis, grid } = axisX(xName, around);
  const option = {
    grid,
    xAxis: {
      ...xAxis,
      min: Math.floor((least - margin) * 100) / 100,
      max: Math.ceil((most + margin) * 100) / 100,
      axisLabel: {
        ...label,
        formatter: (value: number) => String(Number((value * 100).toFixed(1))),
        hideOverlap: true,
      },
      splitLine: { show: true, lineStyle: { color: RULE } },
    },
    yAxis: {
      type: 'category',
      inverse: true,
      data: rows.map(({ name }) => name),
      axisLabel: { ...label, color: INK },
      axisLine: { show: false },
      axisTick: { show: false },
    },
    series: [
      {
        type: 'custom',
        ...quiet,
        renderItem: whisker,
        encode: { x: [0, 1], y: 2 },
        data: intervals,
      },
      {
        type: 'scatter',
        ...quiet,
        symbolSize: 5,
        itemStyle: { color: MUTED, opacity: 0.55 },
        data: rows.flatMap(({ values = [] }, i) => values.map((value) => [value, i])),
      },
      {
        type: 'scatter',
        ...quiet,
        symbolSize: 10,
        itemStyle: { color: 'var(--s1)' },
        data: rows.map(({ value }, i) => [value, i]),
        ...(mark !== undefined && {
          markLine: {
            ...quiet,
            symbol: 'none',
            data: [{ xAxis: mark }],
            label: { show: false },
            lineStyle: { color: INK, type: 'solid', width: 1 },
          },
        }),
      },
      {
        // Names at the right end of each row.
        type: 'scatter',
        ...quiet,
        symbolSize: 0,
        data: rows.map((_, i) => [Math.ceil((most + margin) * 100) / 100, i]),
        label: {
          show: true,
          position: 'right',
          formatter: ({ dataIndex }: { dataIndex: number }) => rows[dataIndex]?.text ?? '',
          ...label,
          color: INK,
        },
      },
    ],
  };
  return draw(text, option, 60 + rows.length * ROW, WIDTH);
}
