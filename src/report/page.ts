// The page around the sections: head, navigation, order. No script, and a policy that forbids every request.
// Leaves the content to sections/ and the looks to style.ts.
import { html, type Markup } from './html.js';
import { style } from './style.js';

export interface Page {
  /** Stands above the title. */
  readonly kind?: string;
  readonly title: string;
  /** [anchor, name] of the sections, in order. */
  readonly links: readonly (readonly [string, string])[];
  readonly sections: readonly Markup[];
}

/** The whole document as text. */
export function renderPage({ kind = 'mstar run', title, links, sections }: Page): string {
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
<nav aria-label="Sections"><ul>${links.map(([anchor, name]) => html`<li><a href="#${anchor}">${name}</a></li>`)}</ul></nav>
<main>
${sections}
</main>
</body>
</html>
`;
  return page.text;
}
