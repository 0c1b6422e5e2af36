// Turns the LaTeX that models write around answers into plain text: \boxed, \frac, \text, spacing, degree signs.
// Leaves numbers and comparison to number.ts and compare.ts. Reads every character once, nests at most 32 deep.

const MAX_DEPTH = 32;

/** Commands that only dress their argument. */
const DRESSING = new Set(
  'text textbf textit textrm mathrm mathbf mathit mathsf mathtt mbox boxed fbox operatorname left right big Big bigg Bigg displaystyle'.split(
    ' ',
  ),
);
const SYMBOLS: Readonly<Record<string, string>> = {
  times: '*',
  cdot: '*',
  div: '/',
  pi: 'pi',
  circ: '',
  degree: '',
  approx: '=',
  leq: '<=',
  le: '<=',
  geq: '>=',
  ge: '>=',
  neq: '!=',
  infty: 'infinity',
  quad: ' ',
  qquad: ' ',
  colon: ':',
};

/** Plain text of a piece that may hold LaTeX; text without backslash, `$` or braces comes back as it is. */
export function plainMath(text: string): string {
  if (!/[\\${}°−–×]/.test(text)) return text;
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
    let plain = '';
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at] as string;
      if (character === '\\') plain += this.#command(depth);
      else {
        this.#at++;
        if (character === '}' && inGroup) return plain;
        if (character === '{') plain += depth < MAX_DEPTH ? this.read(depth + 1, true) : '';
        else plain += this.#symbol(character);
      }
    }
    return plain;
  }

  #symbol(character: string): string {
    if (character === '$' || character === '}' || character === '°') return character === '$' ? this.#dollar() : '';
    if (character === '−' || character === '–') return '-';
    return character === '×' ? '*' : character;
  }

  /** A dollar before a digit is money, any other one delimits mathematics; both mean nothing for the value. */
  #dollar(): string {
    return '';
  }

  #command(depth: number): string {
    const name = /^[A-Za-z]+/.exec(this.#text.slice(this.#at + 1, this.#at + 32))?.[0];
    if (name === undefined) {
      const escaped = this.#text[this.#at + 1] ?? '';
      this.#at += 2;
      return '%#&_'.includes(escaped) ? escaped : '()[]'.includes(escaped) ? '' : ' ';
    }
    this.#at += 1 + name.length;
    if (/^[dtc]?frac$/.test(name)) return `${this.#argument(depth)}/${this.#argument(depth)}`;
    if (name === 'sqrt') return `sqrt(${this.#argument(depth)})`;
    if (DRESSING.has(name)) return '';
    return SYMBOLS[name] ?? name;
  }

  /** The next group in braces, or the next character; a compound argument is put in parentheses. */
  #argument(depth: number): string {
    while (this.#text[this.#at] === ' ') this.#at++;
    const character = this.#text[this.#at];
    if (character === undefined) return '';
    if (character === '\\') return this.#command(depth);
    this.#at++;
    if (character !== '{') return character;
    const inner = depth < MAX_DEPTH ? this.read(depth + 1, true).trim() : '';
    return /^[\w.]*$/.test(inner) ? inner : `(${inner})`;
  }
}

/** Content of the last `\boxed{...}` (or `\fbox`) of a text, braces balanced; null where there is none. */
export function lastBoxed(text: string): { content: string; at: number } | null {
  const at = Math.max(text.lastIndexOf('\\boxed'), text.lastIndexOf('\\fbox'));
  const open = at < 0 ? -1 : text.indexOf('{', at);
  if (open < 0 || open > at + 8) return null;
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if (text[i] === '{') depth++;
    else if (text[i] === '}' && --depth === 0) return { content: text.slice(open + 1, i), at };
  }
  return null;
}
