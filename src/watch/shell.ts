// The page around what is watched: its head, its navigation, its looks. Its script is browser.js.
import { html, Markup } from '../page/html.js';
import { style } from '../page/style.js';
import type { Block } from './feed.js';

export interface Shell {
  readonly title: string;
  /** The other pages, by their path from the first one; the one that this is has none. */
  readonly pages: readonly { readonly name: string; readonly path?: string }[];
  readonly blocks: readonly Block[];
  /** To the folder of the script and the styles. */
  readonly root: string;
}

const looks = `
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:.5rem;z-index:3;padding:.4rem .8rem;background:var(--panel);border:2px solid var(--link)}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}h3:focus{outline:none}
.runs{display:flex;flex-wrap:wrap;gap:.2rem 1rem;margin:0 0 .6rem;padding:0;list-style:none}.runs [aria-current]{font-weight:650;color:var(--ink);text-decoration:none}
#link{min-height:1.5rem;margin:0;font-size:.88rem;color:var(--muted)}#link.lost{color:var(--bad);font-weight:600}
.state{margin:0 0 .5rem;color:var(--muted)}.state b{font-size:1.35rem;color:var(--ink)}.state[data-state=running] b{color:var(--good)}.state[data-state=stopped] b{color:var(--bad)}
progress{width:100%;height:1rem;margin:0 0 .8rem;accent-color:var(--s1)}
.filters{display:flex;flex-wrap:wrap;gap:.6rem 1rem;align-items:end;margin:0 0 1rem}.filters label{display:flex;flex-direction:column;font-size:.88rem;color:var(--muted);max-width:100%}
select,button{max-width:100%;min-height:2.25rem;padding:.3rem .6rem;font:inherit;color:var(--ink);background:var(--bg);border:1px solid var(--muted);border-radius:.4rem}button{cursor:pointer}
.pager,.choose{position:static;border:0;background:none}.pager{display:flex;flex-wrap:wrap;gap:.5rem 1.2rem;padding:.8rem 0 0;border-top:1px solid var(--rule)}
`;

/** The style sheet: that of the report, and what only a live page has. */
export const pageStyle = style.text + looks;

export function shell({ title, pages, blocks, root }: Shell): Markup {
  const links = pages.map(({ name, path }) =>
    path === undefined
      ? html`<li><span aria-current="page">${name}</span></li>`
      : html`<li><a href="${root}${path}">${name}</a></li>`,
  );
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${title} – mstar</title>
<link rel="stylesheet" href="${root}page.css">
<script type="module" src="${root}browser.js"></script>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="top"><p>mstar watch</p><h1>${title}</h1>${pages.length > 1 && html`<nav class="choose" aria-label="Runs"><ul class="runs">${links}</ul></nav>`}
<p id="link">Not connected yet.</p><p id="told" class="hidden" role="status"></p></header>
<nav aria-label="Sections"><ul id="sections">${blocks.map(({ id, name }) => html`<li><a href="#${id}">${name}</a></li>`)}</ul></nav>
<main id="main" tabindex="-1">
${blocks.map((block) => new Markup(block.html))}
</main>
</body>
</html>
`;
}
