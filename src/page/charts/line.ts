// Lines over iterations, temperatures or optimizer steps.
import { count, percent, significant } from '../format.js';
import {
  axisX,
  axisY,
  type Chart,
  type Colour,
  FONT,
  type Grid,
  HEIGHT,
  leftOf,
  MUTED,
  quiet,
  RULE,
  shareScale,
} from './axes.js';

/** A value at a place; null leaves a gap. The place is one among the categories or a number. */
export type CurvePoint = readonly [x: number, y: number | null];

export interface Line {
  readonly name: string;
  readonly colour: Colour;
  readonly points: readonly CurvePoint[];
  readonly dashed?: boolean;
}

export interface LineChartSpec {
  readonly xName: string;
  /** Names of places 0, 1, 2...; a plain number axis where they are left out. */
  readonly categories?: readonly string[];
  readonly lines: readonly Line[];
  /** y is a share, shown in percent; more than one line then have their names at their ends, else in a legend. */
  readonly share?: boolean;
  /** Vertical marks. */
  readonly borders?: readonly { readonly x: number; readonly name: string }[];
}

const SYMBOLS = ['circle', 'rect', 'triangle', 'diamond', 'emptyCircle', 'emptyRect', 'emptyTriangle', 'emptyDiamond'];
/** Longer curves have no markers, and are told by their ends. */
const FEW = 20;
/** Of a line; what a longer one tells is that many places apart. */
const MOST_HINTS = 60;
/** Of a name beside a line. */
const LABEL_HEIGHT = 14;

/** Lines over a shared x; each has its own colour, marker and, where there is room, its name at its end. */
export function lineChart({ xName, categories, lines, share = false, borders = [] }: LineChartSpec): Chart {
  const named = share && lines.length > 1;
  const longest = named ? Math.max(...lines.map(({ name }) => name.length)) : 0;
  const around = { left: leftOf(share), right: 18 + longest * 7, top: borders.length > 0 ? 24 : 14 };
  const { xAxis, grid } = axisX(xName, around, categories);
  const values = lines.flatMap(({ points }) => points.flatMap(([, y]) => y ?? []));
  const labels = named ? labelPlaces(lines, shareScale(values), grid) : [];
  const marks = {
    ...quiet,
    symbol: 'none',
    data: borders.map(({ x, name }) => ({ xAxis: x, label: { formatter: name } })),
    lineStyle: { color: RULE, type: 'solid', width: 1 },
    label: { color: MUTED, fontFamily: FONT, fontSize: 11, position: 'end', distance: 3 },
  };
  const series = lines.map(({ name, colour, points, dashed = false }, i) => ({
    type: 'line',
    ...quiet,
    name,
    data: points,
    showSymbol: lines.every((line) => line.points.length <= FEW),
    showAllSymbol: true,
    symbol: SYMBOLS[i % SYMBOLS.length],
    symbolSize: 8,
    lineStyle: { color: colour, width: 2, type: dashed ? 'dashed' : 'solid' },
    itemStyle: { color: colour },
    endLabel: { show: named, formatter: '{a}', color: colour, fontFamily: FONT, fontSize: 12, distance: 8 },
    labelLayout: { y: labels[i] },
    ...(i === 0 && { markLine: marks }),
  }));
  // Steps and iterations have nothing between them.
  const whole = lines.every(({ points }) => points.every(([x]) => Number.isInteger(x)));
  const shown = share ? percent : significant;
  const told = ({ points }: Line): string =>
    points.length > FEW
      ? `${count(points.length)} values, first ${shown(points[0]?.[1])}, last ${shown(points.at(-1)?.[1])}`
      : points.map(([x, y]) => `${categories?.[x] ?? significant(x)} ${shown(y)}`).join(', ');
  // Lines that meet are told together, as one place hides another.
  const hints = new Map<string, { readonly at: readonly [number, number]; readonly text: string }>();
  for (const { name, points } of lines) {
    const every = Math.ceil(points.length / MOST_HINTS);
    for (const [i, [x, y]] of points.entries()) {
      if (y === null || !Number.isFinite(y) || (i % every !== 0 && i + 1 < points.length)) continue;
      const before = hints.get(`${x} ${y}`);
      const text = `${name}, ${xName} ${categories?.[x] ?? significant(x)}: ${shown(y)}`;
      hints.set(`${x} ${y}`, { at: [x, y], text: before ? `${before.text}\n${text}` : text });
    }
  }
  return {
    option: { grid, xAxis: { ...xAxis, ...(whole && { minInterval: 1 }) }, yAxis: axisY(share, values), series },
    hints: [...hints.values()],
    description: lines.map((line) => `${line.name}: ${told(line)}`).join('; '),
    legend: named || lines.length < 2 ? [] : lines,
  };
}

/** Heights in pixels for the names at the ends of lines: near their ends, but not over those that end at the same x. */
function labelPlaces(
  lines: readonly Line[],
  { min, max }: { readonly min: number; readonly max: number },
  grid: Grid,
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

/**
 * Moves names beside lines apart, each as little as possible.
 * @returns new places of the same order, at least `gap` apart and, as far as they fit, from `low` to `high`; of all such places
 *   the ones nearest to the wanted ones (least squares). Equal wishes keep the order of the list.
 */
export function spread(wanted: readonly number[], gap: number, low: number, high: number): number[] {
  // Places that are pushed as one; `sum` of where its members want the first of them to be.
  type Block = { readonly size: number; readonly sum: number };
  const start = ({ sum, size }: Block): number => sum / size;
  const order = wanted.map((_, i) => i).sort((a, b) => (wanted[a] as number) - (wanted[b] as number));
  const blocks: Block[] = [];
  for (const index of order) {
    let block: Block = { size: 1, sum: wanted[index] as number };
    for (let last = blocks.at(-1); last && start(last) + last.size * gap > start(block); last = blocks.at(-1)) {
      blocks.pop();
      // Seen from the first place of the joined block, the later members want to be that much higher up.
      block = { size: last.size + block.size, sum: last.sum + block.sum - block.size * last.size * gap };
    }
    blocks.push(block);
  }
  const places: number[] = [];
  let least = low;
  for (const block of blocks) {
    const from = Math.max(least, start(block));
    for (let i = 0; i < block.size; i++) places.push(from + i * gap);
    least = from + block.size * gap;
  }
  for (let rank = places.length - 1, most = high; rank >= 0 && (places[rank] as number) > most; rank--, most -= gap)
    places[rank] = most;
  return wanted.map((_, i) => places[order.indexOf(i)] as number);
}

/** A long curve as at most `most` points: each is the mean of the finite values of its stretch, at the middle of it. */
export function thin(points: readonly CurvePoint[], most: number): CurvePoint[] {
  if (points.length <= most) return [...points];
  return Array.from({ length: most }, (_, i) => {
    const stretch = points.slice(Math.floor((i * points.length) / most), Math.floor(((i + 1) * points.length) / most));
    const finite = stretch.flatMap(([, y]) => y ?? []);
    const x = ((stretch[0] as CurvePoint)[0] + (stretch.at(-1) as CurvePoint)[0]) / 2;
    return [x, finite.length === 0 ? null : finite.reduce((sum, y) => sum + y, 0) / finite.length];
  });
}
