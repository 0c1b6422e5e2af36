// Turns the LaTeX that models write around answers into plain text: \boxed, \frac, \text, spacing, degree signs. Reads
// every character once, nests at most 32 deep.

const MAX_DEPTH = 32;

const COMMANDS = {
  /** Only dress their argument. */
  dressing: new Set([
    ...['text', 'textbf', 'textit', 'textrm', 'textnormal', 'mathrm', 'mathbf', 'mathit', 'mathsf', 'mathtt'],
    ...['mbox', 'boxed', 'fbox', 'operatorname', 'left', 'right', 'big', 'Big', 'bigg', 'Bigg', 'displaystyle'],
  ]),
  /** Stand for something; any other one is read as its name. A Map, as names may be `constructor`. */
  symbols: new Map(
    Object.entries({
      ...{
        times: '*',
        cdot: '*',
        div: '/',
        circ: '',
        degree: '',
        approx: '=',
        leq: '<=',
        le: '<=',
        geq: '>=',
        ge: '>=',
      },
      ...{ neq: '!=', infty: 'infinity', quad: ' ', qquad: ' ', colon: ':' },
    }),
  ),
};

const SIGNS: Readonly<Record<string, string>> = {
  ...{ $: '', '}': '', '°': '', '−': '-', '–': '-', '×': '*', '·': '*', '⋅': '*', '∙': '*', '~': ' ' },
};

/** Every character that is not copied as it is. */
const SPECIAL = /[\\${}°−–×·⋅∙~]/g;

/** Plain text of a piece that may hold LaTeX; text without backslash, `$`, braces or special signs comes back as it is. */
export function plainMath(text: string): string {
  if (text.search(SPECIAL) < 0) return text;
  return new Reader(text).read(0, false).replace(/\^ *(?=$|[^\d\w(*+-])/g, '');
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Reads up to the end, or up to the brace that closes the group. */
  read(depth: number, inGroup: boolean): string {
    const plain: string[] = [];
    while (this.#at < this.#text.length) {
      SPECIAL.lastIndex = this.#at;
      const next = SPECIAL.exec(this.#text)?.index ?? this.#text.length;
      if (next > this.#at) plain.push(this.#text.slice(this.#at, next));
      this.#at = next;
      const character = this.#text[next];
      if (character === undefined) break;
      if (character === '\\') {
        plain.push(this.#command(depth));
        continue;
      }
      this.#at++;
      if (character === '}' && inGroup) break;
      if (character === '{' && depth < MAX_DEPTH) {
        const isPower = this.#text[next - 1] === '^';
        const inside = this.read(depth + 1, true);
        plain.push(isPower && !/^ ?-?[\w.]* ?$/.test(inside) ? `(${inside})` : inside);
      } else if (character !== '{') plain.push(SIGNS[character] ?? character);
    }
    return plain.join('');
  }

  #command(depth: number): string {
    const start = this.#at;
    const name = /^[A-Za-z]+/.exec(this.#text.slice(start + 1, start + 32))?.[0];
    if (name === undefined) {
      const escaped = this.#text[start + 1] ?? '';
      this.#at += 2;
      return '%#&_'.includes(escaped) ? escaped : '()[]'.includes(escaped) ? '' : ' ';
    }
    this.#at += 1 + name.length;
    if (/^[dtc]?frac$/.test(name)) {
      // After a digit it is a mixed number: 12\frac{3}{5} reads 12 3/5.
      const gap = /\d/.test(this.#text[start - 1] ?? '') ? ' ' : '';
      return `${gap}${this.#argument(depth)}/${this.#argument(depth)}`;
    }
    if (name === 'sqrt') {
      const degree = /^\[(\w{1,3})\]/.exec(this.#text.slice(this.#at, this.#at + 6));
      this.#at += degree?.[0].length ?? 0;
      return degree ? `(${this.#argument(depth)})^(1/${degree[1]})` : `sqrt(${this.#argument(depth)})`;
    }
    return COMMANDS.dressing.has(name) ? '' : (COMMANDS.symbols.get(name) ?? name);
  }

  /** The next group in braces, or the next character or command; a compound group is put in parentheses. */
  #argument(depth: number): string {
    while (this.#text[this.#at] === ' ') this.#at++;
    const character = this.#text[this.#at] ?? '';
    if (depth >= MAX_DEPTH) return '';
    if (character === '\\') return this.#command(depth + 1);
    this.#at++;
    if (character !== '{') return character;
    const inner = this.read(depth + 1, true).trim();
    return /^[\w.]*$/.test(inner) ? inner : `(${inner})`;
  }
}

/** Content of the last `\boxed{...}` (or `\fbox`) of a text, braces balanced; null where there is none. */
export function lastBoxed(text: string): { content: string; at: number; end: number } | null {
  const at = Math.max(text.lastIndexOf('\\boxed'), text.lastIndexOf('\\fbox'));
  const open = at < 0 ? -1 : text.indexOf('{', at);
  if (open < 0 || open > at + 8) return null;
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if (text[i] === '{') depth++;
    else if (text[i] === '}' && --depth === 0) return { content: text.slice(open + 1, i), at, end: i + 1 };
  }
  return null;
}
