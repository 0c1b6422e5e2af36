// Pieces that every document is built from: sections, tables, charts with their numbers as a table. The looks are in style.ts.
import { drawSvg, type Titled } from './charts/svg.js';
import { html, Markup, type Part, toMarkdown } from './html.js';

/** A part of a document with a heading. */
export interface Section {
  /** Anchor on the page. */
  readonly id: string;
  readonly title: string;
  /** In the navigation. */
  readonly name: string;
  readonly content: Markup;
}

/** @param anchor with the name in the navigation where that is not the title */
export function section(
  anchor: string | readonly [id: string, name: string],
  title: string,
  ...content: Part[]
): Section {
  const [id, name] = typeof anchor === 'string' ? [anchor, title] : anchor;
  return { id, title, name, content: html`${content}` };
}

/** What stands over a column, and its cell in each row. */
export type Column<Row> = readonly [head: Part, cell: (row: Row) => Part];

/** A table that scrolls in its own box on narrow screens. The first cell of a row is its heading; columns that are false are left out. */
export function table<Row>(caption: Part, rows: readonly Row[], columns: readonly (Column<Row> | false)[]): Markup {
  const shown = columns.filter((column) => column !== false);
  const header = shown.map(([head]) => html`<th scope="col">${head}</th>`);
  const cells = rows.map((row) => shown.map(([, cell]) => cell(row)));
  const body = cells.map(
    ([first, ...rest]) => html`<tr><th scope="row">${first}</th>${rest.map((cell) => html`<td>${cell}</td>`)}</tr>`,
  );
  const line = (parts: readonly Part[]): string => `| ${parts.map((part) => toMarkdown(part).trim()).join(' | ')} |`;
  const heads = line(shown.map(([head]) => head));
  const rule = `|${shown.map((_, i) => (i === 0 ? ' --- ' : ' ---: ')).join('|')}|`;
  const markdown = `\n\n${[`${toMarkdown(caption)}:`, '', heads, rule, ...cells.map(line)].join('\n')}\n\n`;
  const plain = toMarkdown(caption).replaceAll('**', '');
  // A caption inside would scroll away with the table.
  const { text } = html`<p class="caption" aria-hidden="true">${caption}</p>
<div class="scroll" tabindex="0" role="region" aria-label="${plain}"><table><caption class="hidden">${caption}</caption>
<thead><tr>${header}</tr></thead>
<tbody>${body}</tbody></table></div>`;
  return new Markup(text, markdown);
}

/** Content behind a line to click. */
export function fold(summary: Part, ...content: readonly Part[]): Markup {
  return html`<details><summary>${summary}</summary>${content}</details>`;
}

/** A chart with what is said around it. */
export interface Figure extends Titled {
  /** What to look for, in a sentence. */
  readonly note?: Part;
  /** The same numbers as a table. */
  readonly numbers?: Markup;
  /** File beside the document that holds the chart: shown where the chart itself cannot be. */
  readonly file?: string;
}

export function figure(drawn: Figure): Markup {
  const { title, chart, note, numbers, file } = drawn;
  const names =
    chart.legend?.map(({ name, colour }) => html`<li><i style="background:${colour}"></i>${name}</li>`) ?? [];
  const key = names.length > 0 && html`<ul class="legend">${names}</ul>`;
  // Always three rows, so that charts beside each other are level.
  const { text, markdown } =
    html`<figure><figcaption><strong>${title}</strong>${note && html` <span>${note}</span>`}${key}</figcaption>${drawSvg(drawn)}<div>${numbers && fold('Numbers', numbers)}</div></figure>`;
  return new Markup(text, file === undefined ? markdown : `\n\n![${toMarkdown(title)}](${file})\n\n${markdown}`);
}

/** Charts beside each other where there is room, two in a row. */
export function grid(...figures: readonly Part[]): Markup {
  return html`<div class="grid">${figures}</div>`;
}

/** As `grid`, three in a row. */
export function smallGrid(...figures: readonly Part[]): Markup {
  return html`<div class="grid small">${figures}</div>`;
}

/** Names with their values. */
export function facts(entries: readonly (readonly [string, Part])[]): Markup {
  return html`<dl class="facts">${entries.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

export function note(...content: readonly Part[]): Markup {
  return html`<p class="note">${content}</p>`;
}
