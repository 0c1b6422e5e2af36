// Shares with their intervals, one for each checkpoint.
import type { CustomSeriesRenderItemAPI, CustomSeriesRenderItemParams } from 'echarts';
import type { Markup } from '../html.js';
import { axisX, axisY, type ChartText, draw, FONT, INK, LEFT, MUTED, quiet } from './axes.js';

export interface Estimate {
  readonly name: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Shares with their intervals, one for each category. */
export function intervalChart(
  spec: ChartText & {
    readonly xName: string;
    readonly estimates: readonly Estimate[];
    /** The categories follow one another, and a line says so. */
    readonly joined?: boolean;
  },
): Markup {
  const { estimates, xName, joined = true } = spec;
  // Where there is no room for all values: the one that training starts from, after the base model, and the last.
  const crowded = estimates.length > 9;
  const [start, last] = [1, estimates.length - 1];
  const whisker = (_: CustomSeriesRenderItemParams, api: CustomSeriesRenderItemAPI): object => {
    const [x, top] = api.coord([api.value(0), api.value(2)]) as [number, number];
    const bottom = (api.coord([api.value(0), api.value(1)]) as [number, number])[1];
    const style = { stroke: MUTED, lineWidth: 1.5 };
    const line = (x1: number, y1: number, x2: number, y2: number): object => ({
      type: 'line',
      shape: { x1, y1, x2, y2 },
      style,
    });
    return {
      type: 'group',
      children: [line(x, top, x, bottom), line(x - 5, top, x + 5, top), line(x - 5, bottom, x + 5, bottom)],
    };
  };
  const option = {
    ...axisX(
      xName,
      { left: LEFT.share, right: 18, top: 20 },
      estimates.map(({ name }) => name),
    ),
    yAxis: axisY(
      true,
      estimates.flatMap(({ low, high }) => [low, high]),
    ),
    series: [
      {
        type: 'line',
        ...quiet,
        data: estimates.map(({ value }) => value),
        symbol: 'circle',
        symbolSize: 9,
        showAllSymbol: true,
        lineStyle: { color: 'var(--s1)', width: joined ? 2 : 0 },
        itemStyle: { color: 'var(--s1)' },
      },
      {
        type: 'custom',
        ...quiet,
        renderItem: whisker,
        encode: { x: 0, y: [1, 2] },
        data: estimates.map(({ low, high }, i) => [i, low, high]),
      },
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
            crowded && i !== last && i !== start ? '' : ((estimates[i] as Estimate).value * 100).toFixed(1),
          color: INK,
          fontFamily: FONT,
          fontSize: 12,
        },
      },
    ],
  };
  return draw(spec, option);
}
