// Draws a chart as SVG text that stands inline in the page: colours are the page's own, ids are unique and repeatable.
import { BarChart, CustomChart, LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, MarkLineComponent } from 'echarts/components';
import { type EChartsCoreOption, init, use } from 'echarts/core';
import { LabelLayout } from 'echarts/features';
import { SVGRenderer } from 'echarts/renderers';
import { escapeText, Markup } from '../html.js';

use([BarChart, CustomChart, LineChart, ScatterChart, GridComponent, MarkLineComponent, LabelLayout, SVGRenderer]);

export interface Drawing {
  /** Unique in the page: letters, digits and hyphens. */
  readonly id: string;
  /** What the chart shows, for readers who do not see it. */
  readonly title: string;
  readonly description: string;
  readonly width: number;
  readonly height: number;
  readonly option: EChartsCoreOption;
}

/** The chart as an `<svg>` element that scales with its column. */
export function drawSvg({ id, title, description, width, height, option }: Drawing): Markup {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  let drawn: string;
  try {
    chart.setOption({ animation: false, ...option });
    drawn = chart.renderToSVGString();
  } finally {
    chart.dispose();
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
  return new Markup(head + label + inner);
}
