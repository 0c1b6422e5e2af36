// A document: what a view says, once. As HTML it is a page that stands alone, without script and with a policy that forbids every
// request; as Markdown a file to read in a terminal or a repository.
import { escapeMarkdown, html, type Markup, tidyMarkdown } from './html.js';
import type { Section } from './parts.js';
import { style } from './style.js';

export interface Document {
  /** What kind of document it is, above its title. */
  readonly kind: string;
  readonly title: string;
  readonly sections: readonly Section[];
}

/** The form that the file's name asks for: Markdown for `.md`, else HTML. */
export function documentText(document: Document, path: string): string {
  return path.endsWith('.md') ? toMarkdownFile(document) : toHtmlPage(document);
}

/** A section as an element of the page. */
export function sectionBlock({ id, title, content }: Section): Markup {
  return html`<section id="${id}" aria-labelledby="${id}-heading"><h2 id="${id}-heading">${title}</h2>${content}</section>`;
}

export function toHtmlPage({ kind, title, sections }: Document): string {
  const links = sections.map(({ id, name }) => html`<li><a href="#${id}">${name}</a></li>`);
  const blocks = sections.map(sectionBlock);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} – mstar</title>
<style>${style}</style>
</head>
<body>
<header class="top"><p>${kind}</p><h1>${title}</h1></header>
<nav aria-label="Sections"><ul>${links}</ul></nav>
<main>
${blocks}
</main>
</body>
</html>
`;
  return page.text;
}

export function toMarkdownFile({ title, sections }: Document): string {
  const parts = sections.map(({ title: heading, content }) => `## ${escapeMarkdown(heading)}\n\n${content.markdown}`);
  return tidyMarkdown([`# ${escapeMarkdown(title)}`, ...parts].join('\n\n'));
}
