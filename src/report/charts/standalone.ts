// A chart as an SVG file of its own: colours as numbers, a white ground and its title, for readers without the page's style.
// Leaves drawing to svg.ts and the colours to style.ts.
import type { Markup } from '../html.js';
import { escapeText } from '../html.js';
import { lightColours } from '../style.js';

const TITLE = 34;
const LEGEND = 22;

export interface FileText {
  readonly title: string;
  /** Names and colours, where the chart does not name its parts. */
  readonly legend?: readonly { readonly name: string; readonly colour: string }[];
}

/** @param chart what `drawSvg` gives */
export function svgFile(chart: Markup, { title, legend = [] }: FileText): string {
  const [, width, height, inner] = /^<svg viewBox="0 0 (\d+) (\d+)"[^>]*>([\s\S]*)<\/svg>$/.exec(chart.text) ?? [];
  if (inner === undefined) throw new RangeError('no chart of drawSvg');
  const top = TITLE + (legend.length > 0 ? LEGEND : 0);
  const total = Number(height) + top;
  const text = (x: number, y: number, size: number, words: string, weight = 400): string =>
    `<text x="${x}" y="${y}" font-family="system-ui, sans-serif" font-size="${size}" font-weight="${weight}" fill="var(--ink)">${escapeText(words)}</text>`;
  let x = 12;
  const key = legend.map(({ name, colour }) => {
    const part = `<rect x="${x}" y="${TITLE + 2}" width="11" height="11" fill="${colour}"/>${text(x + 16, TITLE + 12, 12, name)}`;
    x += 34 + name.length * 6.6;
    return part;
  });
  const body = `<rect width="${width}" height="${total}" fill="var(--panel)"/>${text(12, 22, 15, title, 600)}${key.join('')}<g transform="translate(0 ${top})">${inner}</g>`;
  const resolved = body.replace(/var\(--(\w+)\)/g, (found, name: string) => lightColours[name] ?? found);
  return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${width}" height="${total}" viewBox="0 0 ${width} ${total}" role="img">${resolved}</svg>\n`;
}
