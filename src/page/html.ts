// Markup as values, in HTML and in Markdown at once. The `html` tag escapes every text put into it, in both, so that
// responses of a model cannot become markup; the tags of a template are translated, a table says its Markdown itself.

/** Markup in both forms. Only the `html` tag, tables and charts make it. */
export class Markup {
  readonly text: string;
  /** Not yet tidy: blank lines around blocks may be doubled. Empty where there are no words, as for a chart. */
  readonly markdown: string;
  constructor(text: string, markdown = '') {
    this.text = text;
    this.markdown = markdown;
  }
}

/** What can stand in a template: text and numbers are escaped, `false`, `null` and `undefined` are left out. */
export type Part = Markup | string | number | false | null | undefined | readonly Part[];

/** `html`<b>${untrusted}</b>`` */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  const text = strings.reduce((before, piece, i) => before + toHtml(parts[i - 1]) + piece);
  const translator = new Translator();
  for (const [i, piece] of strings.entries()) {
    if (i > 0) translator.part(parts[i - 1]);
    translator.literal(piece);
  }
  return new Markup(text, translator.text);
}

function toHtml(part: Part): string {
  if (part === false || part === null || part === undefined) return '';
  if (part instanceof Markup) return part.text;
  return typeof part === 'object' ? part.map(toHtml).join('') : escapeText(String(part));
}

/** A part in Markdown, on one line where it is text. */
export function toMarkdown(part: Part): string {
  if (part === false || part === null || part === undefined) return '';
  if (part instanceof Markup) return part.markdown;
  return typeof part === 'object' ? part.map(toMarkdown).join('') : escapeMarkdown(String(part));
}

/** What the start of an element is in Markdown, and its end; others leave no trace. */
const TAGS: Readonly<Record<string, readonly [start: string, end: string]>> = {
  ...Object.fromEntries(
    ['p', 'div', 'section', 'article', 'header', 'figure', 'details', 'dl', 'ul', 'ol', 'pre'].map((tag) => [
      tag,
      ['\n\n', '\n\n'] as const,
    ]),
  ),
  h2: ['\n\n## ', '\n\n'],
  h3: ['\n\n### ', '\n\n'],
  h4: ['\n\n#### ', '\n\n'],
  summary: ['\n\n**', '**\n\n'],
  li: ['\n- ', '\n'],
  dt: ['\n- ', ': '],
  b: ['**', '**'],
  strong: ['**', '**'],
  code: ['`', '`'],
};

/** Turns the pieces of a template into Markdown. Parts in attributes, and elements of class `hidden` or `legend`, leave no trace. */
class Translator {
  text = '';
  /** The tag that was begun and not ended. */
  #tag: string | undefined;
  /** The element that hides what is in it. */
  #hidden: string | undefined;
  #verbatim = false;

  literal(piece: string): void {
    const whole = `${this.#tag ?? ''}${piece}`;
    this.#tag = undefined;
    for (const [, text = '', tag = ''] of whole.matchAll(/([^<]*)(<[^>]*>?)?/g)) {
      this.#add(text.replace(/\s+/g, ' '));
      if (tag.endsWith('>')) this.#element(tag);
      else if (tag !== '') this.#tag = tag;
    }
  }

  part(part: Part): void {
    if (this.#tag !== undefined) return;
    if (this.#verbatim && typeof part === 'string') this.#add(part.replace(/^/gm, '    '));
    else this.#add(toMarkdown(part));
  }

  #element(tag: string): void {
    const [, closing, name = ''] = /^<(\/?)(\w+)/.exec(tag) ?? [];
    if (this.#hidden === undefined && /class="(hidden|legend)"/.test(tag)) this.#hidden = name;
    const [start, end] = TAGS[name] ?? ['', ''];
    if (name === 'pre') this.#verbatim = !closing;
    this.#add(closing ? end : start);
    if (closing && this.#hidden === name) this.#hidden = undefined;
  }

  #add(text: string): void {
    if (this.#hidden === undefined) this.text += text;
  }
}

/** Markdown as a file: one empty line between blocks, no trailing spaces, nothing emphasised that is empty. */
export function tidyMarkdown(markdown: string): string {
  const text = markdown
    .replace(/\*\*\s*\*\*/g, '')
    .replace(/[ \t]+$/gm, '')
    .replace(/^(- |\*\*)\n+/gm, '$1')
    .replace(/^ (?=\S)/gm, '')
    .replace(/\n{3,}/g, '\n\n')
    .replace(/^(- .*)\n\n(?=- )/gm, '$1\n');
  return `${text.trim()}\n`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text for an element or a quoted attribute; control characters, which HTML cannot hold, become U+FFFD. */
export function escapeText(text: string): string {
  return visible(text).replace(/[&<>"']/g, (mark) => ENTITIES[mark] as string);
}

/** Text that neither ends a line or a cell of a table nor begins anything. */
export function escapeMarkdown(text: string): string {
  return visible(text)
    .replace(/\s+/g, ' ')
    .replace(/[\\`*[|]/g, '\\$&')
    .replace(/[<&]/g, (mark) => ENTITIES[mark] as string)
    .replace(/^(#|>|[+-](?= ))/, '\\$1');
}

function visible(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.toWellFormed().replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g, '\uFFFD');
}
