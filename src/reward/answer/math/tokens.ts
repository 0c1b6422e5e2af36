// Cuts a mathematical answer, in LaTeX or plain signs, into tokens. Every character is read a fixed number of times.

export type Token =
  | { readonly type: 'number'; readonly text: string }
  /** A letter, a Greek letter, a function: `x`, `alpha`, `sin`. */
  | { readonly type: 'name'; readonly text: string }
  /** A LaTeX command that takes arguments: `frac`, `sqrt`, `begin`. */
  | { readonly type: 'command'; readonly text: string }
  /** Words: the content of `\text{...}`, or a word that is neither a function nor a product of letters. */
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'sign'; readonly text: string };

/** Commands that stand for a sign. */
const SIGN_COMMANDS = new Map([
  ...entries('*', 'times', 'cdot', 'ast'),
  ...entries('/', 'div'),
  ...entries('+-', 'pm', 'mp'),
  ...entries('<=', 'le', 'leq', 'leqslant', 'leqq'),
  ...entries('>=', 'ge', 'geq', 'geqslant', 'geqq'),
  ...entries('<', 'lt'),
  ...entries('>', 'gt'),
  ...entries('!=', 'ne', 'neq'),
  ...entries('~', 'approx', 'simeq', 'sim', 'thickapprox'),
  ...entries('=', 'equiv', 'coloneqq'),
  ...entries('in', 'in'),
  ...entries('union', 'cup', 'bigcup'),
  ...entries('without', 'setminus', 'backslash'),
  ...entries('|', 'vert', 'lvert', 'rvert', 'mid'),
  ...entries('%', '%'),
  ...entries('deg', 'circ', 'degree'),
  ...entries('\\{', '{', 'lbrace'),
  ...entries('\\}', '}', 'rbrace'),
  ...entries('floor(', 'lfloor'),
  ...entries('floor)', 'rfloor'),
  ...entries('ceil(', 'lceil'),
  ...entries('ceil)', 'rceil'),
  ...entries('and', 'land', 'wedge', 'lor', 'vee'),
  ...entries('\\\\', '\\', 'cr'),
]);

/** Commands with arguments. */
const WITH_ARGUMENTS = new Set(['frac', 'sqrt', 'binom', 'begin', 'end', 'text']);

/** Other spellings of those. */
const ARGUMENT_SPELLINGS = new Map([
  ...entries('frac', 'dfrac', 'tfrac', 'cfrac'),
  ...entries('binom', 'dbinom', 'tbinom'),
  ...entries('text', 'textbf', 'textit', 'textrm', 'textnormal', 'mbox', 'hbox', 'mathrm', 'operatorname', 'rm'),
]);

/** Commands that change nothing about a value. */
const DRESSING = new Set([
  ...[
    'left',
    'right',
    'big',
    'Big',
    'bigg',
    'Bigg',
    'bigl',
    'bigr',
    'Bigl',
    'Bigr',
    'displaystyle',
    'limits',
    'boxed',
    'fbox',
  ],
  ...['mathbf', 'mathit', 'mathsf', 'mathtt', 'mathbb', 'mathcal', 'boldsymbol', 'overline', 'vec'],
  ...['overrightarrow', 'hat', 'bar', 'quad', 'qquad', 'nonumber', 'prime', 'thinspace', 'hspace', 'ldots'],
  ...['overarc', 'widehat', 'bf', 'underline', 'dots'],
]);

const FUNCTIONS = new Set(
  'sin cos tan cot sec csc arcsin arccos arctan asin acos atan ln log lg exp abs sqrt pi infty max min gcd lcm'.split(
    ' ',
  ),
);

/** Units and short words of plain text that are not products of letters. */
const SHORT_WORDS = new Set(
  'yes no the not but for are was has all any its you can one is it of to on at by so we if be as an cm mm km kg mg ml mL hr hrs min sec ft in inch inches yd lb lbs oz mi mph kph kmh usd pct deg rad sq cu pts'.split(
    ' ',
  ),
);

const PLAIN_SIGNS = new Map([
  ...entries('*', '·', '×', '∙', '⋅'),
  ...entries('/', '÷'),
  ...entries('-', '−', '–', '—'),
  ...entries('+-', '±'),
  ...entries('<=', '≤', '⩽'),
  ...entries('>=', '≥', '⩾'),
  ...entries('!=', '≠'),
  ...entries('~', '≈'),
  ...entries('union', '∪', 'U'),
  ...entries('in', '∈'),
  ...entries('root', '√'),
  ...entries('deg', '°'),
]);

/** Characters without meaning here. */
const SKIPPED = /[\s$~`'’"“”′]/;

function entries(to: string, ...from: string[]): [string, string][] {
  return from.map((name) => [name, to]);
}

/** Tokens of `text`; null where it holds a sign that no answer has. */
export function tokenize(text: string): Token[] | null {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; ) {
    const [token, length] = next(text, at);
    if (length === 0) return null;
    if (token) tokens.push(...(Array.isArray(token) ? token : [token]));
    at += length;
  }
  return tokens;
}

type Step = readonly [token: Token | Token[] | null, length: number];

const NUMBER =
  /(?:(?:\d{1,3}(?:(?:,|\{,\}|\\!,|,\\!)\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d{1,3}(?![\dA-Za-z]))?/y;
const WORD = /[A-Za-z]+/y;
const COMMAND = /\\(?:[A-Za-z]+|[^A-Za-z])/y;

/** The token at `at` and its length; length 0 where there is none. */
function next(text: string, at: number): Step {
  const character = text[at] as string;
  if (character === '\\') return command(text, at);
  if (SKIPPED.test(character)) return [null, 1];
  const number = match(NUMBER, text, at);
  if (number !== '') return [{ type: 'number', text: number.replace(/[,{}\\!]/g, '') }, number.length];
  const word = match(WORD, text, at);
  if (word !== '') return [letters(word), word.length];
  const two = text.slice(at, at + 2);
  if (['<=', '>=', '!=', '+-', '**'].includes(two)) return [sign(two === '**' ? '^' : two), 2];
  const plain = PLAIN_SIGNS.get(character);
  if (plain !== undefined) return [sign(plain), 1];
  if (character === '\u2205') return [{ type: 'name', text: 'emptyset' }, 1];
  if ('π∞θαβγλμφω'.includes(character))
    return [{ type: 'name', text: character === 'π' ? 'pi' : character === '∞' ? 'infty' : character }, 1];
  if ('²³'.includes(character)) return [[sign('^'), { type: 'number', text: character === '²' ? '2' : '3' }], 1];
  return '+-*/^_=<>()[]{}|,;:!%&'.includes(character) ? [sign(character), 1] : [null, 0];
}

function match(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? '';
}

function sign(text: string): Token {
  return { type: 'sign', text };
}

function command(text: string, at: number): Step {
  const written = match(COMMAND, text, at);
  if (written === '') return [null, 0];
  let name = written.slice(1);
  let length = written.length;
  // A space that is missing after the command, as in \quadx or \timesx.
  const prefix = ['qquad', 'quad', 'times', 'cdot', 'circ'].find((start) => name.startsWith(start) && name !== start);
  if (prefix) {
    name = prefix;
    length = prefix.length + 1;
  }
  const signText = SIGN_COMMANDS.get(name);
  if (signText !== undefined) return [sign(signText), length];
  const spelling = ARGUMENT_SPELLINGS.get(name) ?? name;
  if (spelling === 'text') return textArgument(text, at + length, length);
  if (WITH_ARGUMENTS.has(spelling)) return [{ type: 'command', text: spelling }, length];
  if (name === 'emptyset' || name === 'varnothing') return [{ type: 'name', text: 'emptyset' }, length];
  if (DRESSING.has(name) || !/^[A-Za-z]/.test(name)) return [null, length];
  return [{ type: 'name', text: name }, length];
}

/** `\text{...}`: words, a function, or a separator where it says `and` or `or`. */
function textArgument(text: string, at: number, commandLength: number): Step {
  if (text[at] !== '{') return [null, commandLength];
  const close = text.indexOf('}', at);
  const content = text
    .slice(at + 1, close < 0 ? text.length : close)
    .replaceAll('~', ' ')
    .trim();
  const length = commandLength + (close < 0 ? text.length - at : close + 1 - at);
  if (content === '') return [null, length];
  // Upright mathematics, such as \mathrm{e} or \mathrm{\pi}: the braces are a group.
  if (/^[eixyz\u03c0]$|[\\^=]|^[\d./ ]*[+*/-][\d./ ]*$/.test(content)) return [null, commandLength];
  if (/^,? ?(?:and|or),?$/i.test(content)) return [sign('and'), length];
  if (/^[+-]?\d+(?:\.\d+)?$/.test(content)) return [{ type: 'number', text: content }, length];
  return [{ type: FUNCTIONS.has(content) ? 'name' : 'text', text: content }, length];
}

/** Letters of plain text: a separator, a function, words, or a product of single letters. */
function letters(word: string): Token | Token[] {
  if (word === 'and' || word === 'or') return sign('and');
  if (word === 'U' || word === 'in') return sign(word === 'U' ? 'union' : 'in');
  if (/^(?:percent|pct|percentage)$/i.test(word)) return sign('%');
  if (/^(?:infinity|inf)$/i.test(word)) return { type: 'name', text: 'infty' };
  if (FUNCTIONS.has(word)) return { type: 'name', text: word };
  // `1orW(x)`: a separator without spaces.
  const glued = /^or([A-Z])$/.exec(word)?.[1];
  if (glued) return [sign('and'), { type: 'name', text: glued }];
  if (word.length > 3 || SHORT_WORDS.has(word.toLowerCase())) return { type: 'text', text: word };
  return Array.from(word, (letter): Token => ({ type: 'name', text: letter }));
}
