// A document as files: a page that stands alone, the same in Markdown, its numbers, and its charts.
import { join } from 'node:path';
import { type Document, toHtmlPage, toMarkdownFile } from '../page/document.js';
import type { Figure } from '../page/parts.js';
import { writeDurable } from '../run/durable.js';

/**
 * Writes NAME.html and NAME.md into a folder, with `numbers` NAME.json, and a file ID.svg for each of `figures`: the same bytes
 * for the same document.
 * @returns path of NAME.html
 */
export async function writeDocument(
  folder: string,
  name: string,
  document: Document,
  numbers?: object,
  figures: readonly Figure[] = [],
): Promise<string> {
  const path = join(folder, name);
  if (numbers) await writeDurable(`${path}.json`, `${JSON.stringify(numbers, null, 2)}\n`);
  // Charts take longer to load than the rest of this package: only programs that draw them pay for them.
  const { standaloneSvg } = figures.length > 0 ? await import('../page/charts/svg.js') : {};
  for (const figure of figures) await writeDurable(join(folder, `${figure.id}.svg`), standaloneSvg?.(figure) ?? '');
  await writeDurable(`${path}.md`, toMarkdownFile(document));
  await writeDurable(`${path}.html`, toHtmlPage(document));
  return `${path}.html`;
}
