// Cuts a mathematical answer, in LaTeX or plain signs, into tokens. Every character is read a fixed number of times.

export interface Token {
  /**
   * `name`: a letter, a Greek letter, a function such as `sin`; `command`: a command of LaTeX that takes arguments, such as
   * `frac`; `text`: the content of `\text{...}`, or a word that is neither a function nor a product of letters.
   */
  readonly type: 'number' | 'name' | 'command' | 'text' | 'sign';
  readonly text: string;
}

/** A map from each of the words of a row to what the row stands for. */
function spellings(rows: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(rows).flatMap(([to, from]) => from.split(' ').map((word) => [word, to] as const)));
}

/** The signs that commands and other characters stand for. */
const SIGNS = spellings({
  '*': '\\times \\cdot \\ast · × ∙ ⋅',
  '/': '\\div ÷',
  '-': '− – —',
  '+-': '\\pm \\mp ±',
  '<=': '\\le \\leq \\leqslant \\leqq ≤ ⩽',
  '>=': '\\ge \\geq \\geqslant \\geqq ≥ ⩾',
  '<': '\\lt',
  '>': '\\gt',
  '!=': '\\ne \\neq ≠',
  '~': '\\approx \\simeq \\sim \\thickapprox ≈',
  '=': '\\equiv \\coloneqq',
  in: '\\in ∈',
  union: '\\cup \\bigcup ∪',
  without: '\\setminus \\backslash',
  '|': '\\vert \\lvert \\rvert \\mid',
  '%': '\\%',
  deg: '\\circ \\degree °',
  root: '√',
  '\\{': '\\{ \\lbrace',
  '\\}': '\\} \\rbrace',
  'floor(': '\\lfloor',
  'floor)': '\\rfloor',
  'ceil(': '\\lceil',
  'ceil)': '\\rceil',
  and: '\\land \\wedge \\lor \\vee',
  '\\\\': '\\\\ \\cr',
});

/** Commands with arguments, in all their spellings. */
const WITH_ARGUMENTS = spellings({
  frac: 'frac dfrac tfrac cfrac',
  binom: 'binom dbinom tbinom',
  text: 'text textbf textit textrm textnormal mbox hbox mathrm operatorname rm',
  sqrt: 'sqrt',
  begin: 'begin',
  end: 'end',
});

const WORDS = {
  /** Commands that change nothing about a value. */
  dressing: new Set(
    (
      'left right big Big bigg Bigg bigl bigr Bigl Bigr displaystyle limits boxed fbox mathbf mathit mathsf mathtt mathbb ' +
      'mathcal boldsymbol overline vec overrightarrow hat bar quad qquad nonumber prime thinspace hspace ldots overarc ' +
      'widehat bf underline dots'
    ).split(' '),
  ),
  functions: new Set(
    'sin cos tan cot sec csc arcsin arccos arctan asin acos atan ln log lg exp abs sqrt pi infty max min gcd lcm'.split(
      ' ',
    ),
  ),
  /** Units and short words of plain text that are not products of letters. */
  short: new Set(
    'yes no the not but for are was has all any its you can one is it of to on at by so we if be as an cm mm km kg mg ml mL hr hrs min sec ft in inch inches yd lb lbs oz mi mph kph kmh usd pct deg rad sq cu pts'.split(
      ' ',
    ),
  ),
};

const PATTERNS = {
  number:
    /(?:(?:\d{1,3}(?:(?:,|\{,\}|\\!,|,\\!)\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d{1,3}(?![\dA-Za-z]))?/y,
  word: /[A-Za-z]+/y,
  command: /\\(?:[A-Za-z]+|[^A-Za-z])/y,
};

/** Tokens of `text`; null where it holds a sign that no answer has. */
export function tokenize(text: string): readonly Token[] | null {
  const reader = new Reader(text);
  return reader.read() ? reader.tokens : null;
}

class Reader {
  readonly tokens: Token[] = [];
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** False where a sign cannot be read. */
  read(): boolean {
    while (this.#at < this.#text.length) if (!this.#next()) return false;
    return true;
  }

  #add(type: Token['type'], text: string): true {
    this.tokens.push({ type, text });
    return true;
  }

  /** What the pattern finds right here, passed over; empty where it finds nothing. */
  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  #next(): boolean {
    const character = this.#text[this.#at] as string;
    if (character === '\\') return this.#command();
    // Characters without meaning here.
    if (/[\s$~`'’"“”′]/.test(character)) {
      this.#at++;
      return true;
    }
    const number = this.#take(PATTERNS.number);
    if (number !== '') return this.#add('number', number.replace(/[,{}\\!]/g, ''));
    const word = this.#take(PATTERNS.word);
    if (word !== '') return this.#letters(word);
    const two = this.#text.slice(this.#at, this.#at + 2);
    if (['<=', '>=', '!=', '+-', '**'].includes(two)) {
      this.#at += 2;
      return this.#add('sign', two === '**' ? '^' : two);
    }
    this.#at++;
    const sign = SIGNS.get(character);
    if (sign !== undefined) return this.#add('sign', sign);
    if (character === '\u2205') return this.#add('name', 'emptyset');
    if (character === 'π') return this.#add('name', 'pi');
    if (character === '∞') return this.#add('name', 'infty');
    if ('θαβγλμφω'.includes(character)) return this.#add('name', character);
    if ('²³'.includes(character)) return this.#add('sign', '^') && this.#add('number', character === '²' ? '2' : '3');
    return '+-*/^_=<>()[]{}|,;:!%&'.includes(character) && this.#add('sign', character);
  }

  #command(): boolean {
    const start = this.#at;
    let name = this.#take(PATTERNS.command).slice(1);
    if (name === '') return false;
    // A space that is missing after the command, as in \quadx or \timesx.
    const prefix = ['qquad', 'quad', 'times', 'cdot', 'circ'].find((start) => name.startsWith(start) && name !== start);
    if (prefix) {
      name = prefix;
      this.#at = start + 1 + prefix.length;
    }
    const sign = SIGNS.get(`\\${name}`);
    if (sign !== undefined) return this.#add('sign', sign);
    const command = WITH_ARGUMENTS.get(name);
    if (command === 'text') return this.#textArgument();
    if (command !== undefined) return this.#add('command', command);
    if (name === 'emptyset' || name === 'varnothing') return this.#add('name', 'emptyset');
    return WORDS.dressing.has(name) || !/^[A-Za-z]/.test(name) || this.#add('name', name);
  }

  /** `\text{...}`: words, a function, or a separator where it says `and` or `or`. */
  #textArgument(): true {
    if (this.#text[this.#at] !== '{') return true;
    const close = this.#text.indexOf('}', this.#at);
    const end = close < 0 ? this.#text.length : close;
    const content = this.#text
      .slice(this.#at + 1, end)
      .replaceAll('~', ' ')
      .trim();
    // Upright mathematics, such as \mathrm{e} or \mathrm{\pi}: the braces are a group.
    if (/^[eixyz\u03c0]$|[\\^=]|^[\d./ ]*[+*/-][\d./ ]*$/.test(content)) return true;
    this.#at = Math.min(end + 1, this.#text.length);
    if (content === '') return true;
    if (/^,? ?(?:and|or),?$/i.test(content)) return this.#add('sign', 'and');
    if (/^[+-]?\d+(?:\.\d+)?$/.test(content)) return this.#add('number', content);
    return this.#add(WORDS.functions.has(content) ? 'name' : 'text', content);
  }

  /** Letters of plain text: a separator, a function, words, or a product of single letters. */
  #letters(word: string): true {
    if (word === 'and' || word === 'or') return this.#add('sign', 'and');
    if (word === 'U' || word === 'in') return this.#add('sign', word === 'U' ? 'union' : 'in');
    if (/^(?:percent|pct|percentage)$/i.test(word)) return this.#add('sign', '%');
    if (/^(?:infinity|inf)$/i.test(word)) return this.#add('name', 'infty');
    if (WORDS.functions.has(word)) return this.#add('name', word);
    // `1orW(x)`: a separator without spaces.
    const glued = /^or([A-Z])$/.exec(word)?.[1];
    if (glued) return this.#add('sign', 'and') && this.#add('name', glued);
    if (word.length > 3 || WORDS.short.has(word.toLowerCase())) return this.#add('text', word);
    for (const letter of word) this.#add('name', letter);
    return true;
  }
}
