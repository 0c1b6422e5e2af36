// Draws a chart as SVG text: inline in the page, in its colours and with ids that are unique and repeatable, or as a file.
import { BarChart, CustomChart, LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, MarkLineComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { LabelLayout } from 'echarts/features';
import { SVGRenderer } from 'echarts/renderers';
import { escapeText, Markup } from '../html.js';
import { lightColours } from '../style.js';
import { type Chart, FONT, HEIGHT, WIDTH } from './axes.js';

use([BarChart, CustomChart, LineChart, ScatterChart, GridComponent, MarkLineComponent, LabelLayout, SVGRenderer]);

/** Pixels from a place within which a pointer counts as being there. */
const REACH = 8;

export interface Titled {
  /** Unique in the page: letters, digits and hyphens. */
  readonly id: string;
  readonly title: string;
  readonly chart: Chart;
}

/** The chart as an `<svg>` element that scales with its column. */
export function drawSvg({ id, title, chart }: Titled): Markup {
  const { option, description, width = WIDTH, height = HEIGHT, hints = [] } = chart;
  const canvas = init(null, null, { renderer: 'svg', ssr: true, width, height });
  let drawn: string;
  let told: string[];
  try {
    canvas.setOption({ animation: false, ...option });
    drawn = canvas.renderToSVGString();
    told = hints.map(({ at, text }) => {
      const [x = 0, y = 0] = canvas.convertToPixel('grid', [...at]);
      return `<circle cx="${round(x)}" cy="${round(y)}" r="${REACH}"><title>${escapeText(text)}</title></circle>`;
    });
  } finally {
    canvas.dispose();
  }
  const inner = drawn
    .replace(/^<svg[^>]*>/, '')
    .replace(/<style[\s\S]*?<\/style>/g, '')
    .replace(/ (?:class|pointer-events|ecmeta_\w+|xml:space)="[^"]*"/g, '')
    // What hollow markers are filled with.
    .replace(/ fill="#fff"/g, ' fill="var(--panel)"')
    // The library numbers its charts over the life of the process.
    .replace(/\bzr\d+-/g, `${id}-`)
    .replace(/\n+/g, '');
  const label = `<title id="${id}-title">${escapeText(title)}</title><desc id="${id}-desc">${escapeText(description)}</desc>`;
  const head = `<svg viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-title ${id}-desc">`;
  const hover = told.length > 0 ? `<g fill="none" pointer-events="all">${told.join('')}</g></svg>` : '</svg>';
  return new Markup(head + label + inner.replace(/<\/svg>$/, hover));
}

const round = (pixels: number): number => Math.round(pixels * 10) / 10;

/**
 * The chart as the text of an SVG file that a plain viewer shows, with its title and legend, on white, in the light colours of
 * the page: no style sheet, no variable, no embedded page.
 */
export function standaloneSvg(titled: Titled): string {
  const { title, chart } = titled;
  const { width = WIDTH, height = HEIGHT, legend = [] } = chart;
  const [titleHeight, legendHeight] = [30, legend.length > 0 ? 22 : 0];
  const top = titleHeight + legendHeight;
  const write = (x: number, y: number, text: string, look: string): string =>
    `<text x="${x}" y="${y}" font-family="${FONT}" ${look} fill="var(--ink)">${escapeText(text)}</text>`;
  let x = 12;
  const key = legend.map(({ name, colour }) => {
    const at = x;
    x += 34 + name.length * 7;
    const patch = `<rect x="${at}" y="${titleHeight}" width="11" height="11" fill="${colour}"/>`;
    return patch + write(at + 16, titleHeight + 10, name, 'font-size="12"');
  });
  const drawn = drawSvg(titled).text;
  const [head = ''] = /^[^>]*>/.exec(drawn) ?? [];
  const size = `width="${width}" height="${height + top}"`;
  const box = `<svg xmlns="http://www.w3.org/2000/svg" ${size} viewBox="0 0 ${width} ${height + top}"`;
  const text = [
    head.replace(/^<svg viewBox="[^"]*"/, box),
    `<rect ${size} fill="var(--panel)"/>`,
    write(12, 20, title, 'font-size="14" font-weight="600"'),
    ...key,
    `<g transform="translate(0 ${top})">${drawn.slice(head.length, -'</svg>'.length)}</g>`,
    '</svg>\n',
  ].join('\n');
  return text.replace(/var\(--(\w+)\)/g, (whole, name) => lightColours.get(name) ?? whole);
}
