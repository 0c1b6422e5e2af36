// HTML as values: the `html` tag escapes every text put into it, so that responses of a model cannot become markup.
// Leaves what a page says to page.ts and sections/.

/** Text that is HTML already. Only the `html` tag and the charts make it. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** What can stand in a template: text and numbers are escaped, `false`, `null` and `undefined` are left out. */
export type Part = Markup | string | number | false | null | undefined | readonly Part[];

/** `html`<b>${untrusted}</b>`` */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(strings.reduce((text, piece, i) => text + toHtml(parts[i - 1]) + piece));
}

function toHtml(part: Part): string {
  if (part === false || part === null || part === undefined) return '';
  if (part instanceof Markup) return part.text;
  return typeof part === 'object' ? part.map(toHtml).join('') : escapeText(String(part));
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
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const visible = text.toWellFormed().replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g, '\uFFFD');
  return visible.replace(/[&<>"']/g, (mark) => ENTITIES[mark] as string);
}
