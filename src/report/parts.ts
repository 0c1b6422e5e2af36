// Pieces that every section is built from: sections, tables, charts with their numbers as a table.
// Leaves the numbers to the sections and the looks to style.ts.
import { html, type Markup, type Part } from './html.js';

/** A part of the page with a heading; `id` is its anchor. */
export function section(id: string, title: string, ...content: readonly Part[]): Markup {
  return html`<section id="${id}" aria-labelledby="${id}-heading"><h2 id="${id}-heading">${title}</h2>${content}</section>`;
}

/** A table that scrolls in its own box on narrow screens. The first cell of a row is its heading. */
export function table(caption: string, head: readonly Part[], rows: readonly (readonly Part[])[]): Markup {
  const header = head.map((cell) => html`<th scope="col">${cell}</th>`);
  const body = rows.map(
    ([first, ...rest]) => html`<tr><th scope="row">${first}</th>${rest.map((cell) => html`<td>${cell}</td>`)}</tr>`,
  );
  // A caption inside would scroll away with the table.
  return html`<p class="caption" aria-hidden="true">${caption}</p>
<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table><caption class="hidden">${caption}</caption>
<thead><tr>${header}</tr></thead>
<tbody>${body}</tbody></table></div>`;
}

/** Content behind a line to click. */
export function fold(summary: Part, ...content: readonly Part[]): Markup {
  return html`<details><summary>${summary}</summary>${content}</details>`;
}

export interface Figure {
  readonly title: string;
  /** What to look for, in a sentence. */
  readonly note?: Part;
  readonly chart: Markup;
  /** Names and colours, for charts that do not name their parts. */
  readonly legend?: readonly { readonly name: string; readonly colour: string }[];
  /** The same numbers as a table. */
  readonly numbers?: Markup;
}

export function figure({ title, note, chart, legend = [], numbers }: Figure): Markup {
  const names = legend.map(({ name, colour }) => html`<li><i style="background:${colour}"></i>${name}</li>`);
  const key = names.length > 0 && html`<ul class="legend">${names}</ul>`;
  // Always three rows, so that charts beside each other are level.
  return html`<figure><figcaption><strong>${title}</strong>${note && html`<span>${note}</span>`}${key}</figcaption>${chart}<div>${numbers && fold('Numbers', numbers)}</div></figure>`;
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
