// A chart of a page as an SVG file of its own: with its title and legend, on white, in the light colours of the page.
import { escapeText, type Markup } from '../html.js';
import { lightColours } from '../style.js';
import { FONT } from './axes.js';

export interface Standalone {
  readonly title: string;
  /** What `drawSvg` made. */
  readonly chart: Markup;
  readonly legend?: readonly { readonly name: string; readonly colour: string }[];
}

const TITLE = 30;
const LEGEND = 22;
const LETTER = 7;

/** The text of an SVG file that a plain viewer shows: no style sheet, no variable, no embedded page. */
export function standaloneSvg({ title, chart, legend = [] }: Standalone): string {
  const [, head, width, height] = /^<svg (viewBox="0 0 (\d+) (\d+)"[^>]*)>/.exec(chart.text) ?? [];
  if (head === undefined) throw new Error('wanted a chart that drawSvg made');
  const top = TITLE + (legend.length > 0 ? LEGEND : 0);
  const tall = Number(height) + top;
  const inner = chart.text.slice(chart.text.indexOf('>') + 1, -'</svg>'.length);
  const text = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${tall}" ${head.replace(`${width} ${height}`, `${width} ${tall}`)}>`,
    `<rect width="${width}" height="${tall}" fill="var(--panel)"/>`,
    `<text x="12" y="20" font-family="${FONT}" font-size="14" font-weight="600" fill="var(--ink)">${escapeText(title)}</text>`,
    ...legendOf(legend),
    `<g transform="translate(0 ${top})">${inner}</g>`,
    '</svg>\n',
  ].join('\n');
  return text.replace(/var\(--(\w+)\)/g, (whole, name) => lightColours.get(name) ?? whole);
}

function legendOf(legend: NonNullable<Standalone['legend']>): string[] {
  let x = 12;
  return legend.map(({ name, colour }) => {
    const at = x;
    x += 34 + name.length * LETTER;
    return `<rect x="${at}" y="${TITLE}" width="11" height="11" fill="${colour}"/><text x="${at + 16}" y="${TITLE + 10}" font-family="${FONT}" font-size="12" fill="var(--ink)">${escapeText(name)}</text>`;
  });
}
