// Lines over iterations, temperatures or optimizer steps.
import type { Markup } from '../html.js';
import {
  axisX,
  axisY,
  type ChartText,
  type Colour,
  draw,
  FONT,
  HEIGHT,
  LEFT,
  MUTED,
  quiet,
  RULE,
  shareScale,
} from './axes.js';
import { spread } from './spread.js';

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
  /** y is a share, shown in percent; more than one line then have their names at their ends. */
  readonly share?: boolean;
  /** Markers on the points; off for long curves. */
  readonly marked?: boolean;
  /** Vertical marks. */
  readonly borders?: readonly { readonly x: number; readonly name: string }[];
}

const SYMBOLS = ['circle', 'rect', 'triangle', 'diamond', 'emptyCircle', 'emptyRect', 'emptyTriangle', 'emptyDiamond'];
/** Of a name beside a line. */
const LABEL_HEIGHT = 14;

/** Lines over a shared x; each has its own colour, marker and, where asked, its name at its end. */
export function lineChart(spec: LineChartSpec): Markup {
  const { xName, categories, lines, share = false, marked = true } = spec;
  const named = share && lines.length > 1;
  const longest = named ? Math.max(...lines.map(({ name }) => name.length)) : 0;
  const borders = (spec.borders ?? []).map(({ x, name }) => ({ xAxis: x, label: { formatter: name } }));
  const around = {
    left: share ? LEFT.share : LEFT.number,
    right: 18 + longest * 7,
    top: borders.length > 0 ? 24 : 14,
  };
  const { xAxis, grid } = axisX(xName, around, categories);
  const values = lines.flatMap(({ points }) => points.flatMap(([, y]) => y ?? []));
  const labels = named ? labelPlaces(lines, shareScale(values), grid) : [];
  const series = lines.map(({ name, colour, points, dashed = false }, i) => ({
    type: 'line',
    ...quiet,
    name,
    data: points,
    showSymbol: marked,
    showAllSymbol: true,
    symbol: SYMBOLS[i % SYMBOLS.length],
    symbolSize: 8,
    lineStyle: { color: colour, width: 2, type: dashed ? 'dashed' : 'solid' },
    itemStyle: { color: colour },
    endLabel: { show: named, formatter: '{a}', color: colour, fontFamily: FONT, fontSize: 12, distance: 8 },
    labelLayout: { y: labels[i] },
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
    grid,
    // Steps and iterations have nothing between them.
    xAxis: {
      ...xAxis,
      ...(lines.every(({ points }) => points.every(([x]) => Number.isInteger(x))) && { minInterval: 1 }),
    },
    yAxis: axisY(share, values),
    series,
  };
  return draw(spec, option);
}

/** Heights in pixels for the names at the ends of lines: near their ends, but not over those that end at the same x. */
function labelPlaces(
  lines: readonly Line[],
  { min, max }: { readonly min: number; readonly max: number },
  grid: { readonly top: number; readonly bottom: number },
): number[] {
  const bottom = HEIGHT - grid.bottom;
  const ends = lines.map(({ points }) => points.findLast(([, y]) => y !== null) ?? ([0, null] as const));
  const heights = ends.map(([, y]) => bottom - (((y ?? min) - min) / (max - min)) * (bottom - grid.top));
  const places = [...heights];
  for (const x of new Set(ends.map(([end]) => end))) {
    const group = ends.flatMap(([end], i) => (end === x ? [i] : []));
    const apart = spread(
      group.map((i) => heights[i] as number),
      LABEL_HEIGHT,
      grid.top,
      bottom - LABEL_HEIGHT / 2,
    );
    for (const [place, i] of group.entries()) places[i] = apart[place] as number;
  }
  return places;
}
