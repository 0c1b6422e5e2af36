// Reads tokens as a mathematical answer: sums, products, powers, fractions, roots, lists, sets, intervals, matrices,
// relations. Never evaluates anything. Reads every token once and nests a bounded depth; what it cannot read is null.
import {
  type Bracket,
  type CallName,
  call,
  isWhole,
  listOf,
  type Node,
  type NodeOf,
  numberNode,
  type RelationSign,
  unsigned,
} from './node.js';
import { type Token, tokenize } from './tokens.js';

/** Bounds of the stack: of what is nested, and of sums and products, whose trees are as deep as they are long. */
const MOST = { depth: 128, tokens: 800, length: 4096 };

/** Thrown while reading and caught by parseMath; one for all: it carries nothing, and many texts are tried. */
const NOT_MATH = new Error('not a mathematical answer');

/** The tree of a text without surrounding prose; null where it cannot be read as mathematics. */
export function parseMath(text: string): Node | null {
  if (text.length > MOST.length) return null;
  // Brackets of an interval may point outward, as in `]0, 5[`.
  const inward = text.replace(
    /([[\]])([^[\],;]{1,200}[,;][^[\],;]{1,200})([[\]])/g,
    (_, open, ends, close) => `${open === ']' ? '(' : open}${ends}${close === '[' ? ')' : close}`,
  );
  const tokens = tokenize(inward);
  if (tokens === null || tokens.length === 0 || tokens.length > MOST.tokens) return null;
  try {
    return new Parser(tokens).whole();
  } catch (error) {
    if (error === NOT_MATH) return null;
    throw error;
  }
}

const SIGNS = {
  relations: new Set<string>(['=', '~', '<', '>', '<=', '>=', '!=', 'in']),
  separators: new Set([',', ';', 'and']),
  closing: new Set([')', ']', '}', '\\}', 'floor)', 'ceil)', '&', '\\\\']),
};

const FUNCTIONS = new Map<string, CallName>([
  ...(['sin', 'cos', 'tan', 'cot', 'sec', 'csc', 'asin', 'acos', 'atan', 'ln', 'log', 'exp', 'abs'] as const).map(
    (name): [string, CallName] => [name, name],
  ),
  ['arcsin', 'asin'],
  ['arccos', 'acos'],
  ['arctan', 'atan'],
  ['lg', 'log'],
]);

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;
  /** Open `|`: there a further `|` closes. */
  #bars = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Node {
    const list = this.#list();
    if (this.#at < this.#tokens.length) throw NOT_MATH;
    return list.items.length === 1 ? (list.items[0] as Node) : list;
  }

  /** Items up to a closing sign or the end; the closing sign is left. */
  #list(): NodeOf<'list'> {
    if (++this.#depth > MOST.depth) throw NOT_MATH;
    const items: Node[] = [];
    while (this.#at < this.#tokens.length && !SIGNS.closing.has(this.#sign() ?? '')) {
      if (SIGNS.separators.has(this.#sign() ?? '')) {
        this.#at++;
        continue;
      }
      items.push(this.#relation());
      const after = this.#sign();
      if (after !== undefined && !SIGNS.separators.has(after) && !SIGNS.closing.has(after)) throw NOT_MATH;
    }
    this.#depth--;
    return listOf(items);
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#at];
  }

  #sign(): string | undefined {
    const token = this.#tokens[this.#at];
    return token?.type === 'sign' ? token.text : undefined;
  }

  #take(sign: string): boolean {
    if (this.#sign() !== sign) return false;
    this.#at++;
    return true;
  }

  #expect(sign: string): void {
    if (!this.#take(sign)) throw NOT_MATH;
  }

  #relation(): Node {
    const terms = [this.#union()];
    const signs: RelationSign[] = [];
    while (SIGNS.relations.has(this.#sign() ?? '')) {
      signs.push(this.#sign() as RelationSign);
      this.#at++;
      terms.push(this.#union());
    }
    return signs.length === 0 ? (terms[0] as Node) : { kind: 'relation', terms, signs };
  }

  #union(): Node {
    const sets = [this.#ratio()];
    while (this.#take('union')) sets.push(this.#ratio());
    const union: Node = sets.length === 1 ? (sets[0] as Node) : { kind: 'union', sets };
    return this.#take('without') ? { kind: 'difference', from: union, removed: this.#ratio() } : union;
  }

  /** `7:32` is a quotient, `1:2:3` an ordered list. */
  #ratio(): Node {
    const items = [this.#sum()];
    while (this.#take(':')) items.push(this.#sum());
    const [first, second] = items as [Node, Node];
    if (items.length > 2) return listOf(items, '(', ')');
    return items.length === 2 ? call('divide', first, second) : first;
  }

  #sum(): Node {
    if (++this.#depth > MOST.depth) throw NOT_MATH;
    let sum: Node | null = null;
    for (;;) {
      const sign = this.#sign();
      const signed = sign === '+' || sign === '-' || sign === '+-';
      if (sum !== null && !signed) break;
      if (signed) this.#at++;
      const term = this.#product();
      const before: Node | null = sum;
      const plus = (part: Node): Node => (before === null ? part : call('add', before, part));
      if (sign === '+-') sum = { kind: 'either', plus: plus(term), minus: plus(call('negate', term)) };
      else sum = plus(sign === '-' ? call('negate', term) : term);
    }
    this.#depth--;
    return sum;
  }

  #product(): Node {
    let node = this.#signedFactor();
    for (;;) {
      if (this.#take('*')) node = times(node, this.#signedFactor());
      else if (this.#take('/')) {
        // A unit below the line is dropped as one beside a value is.
        const below = this.#signedFactor();
        if (node.kind === 'text' || below.kind !== 'text') node = call('divide', node, below);
      } else if (this.#startsFactor()) node = this.#beside(node);
      else return node;
    }
  }

  /** Two factors without a sign between them: a mixed number, a unit, or a product. */
  #beside(node: Node): Node {
    const token = this.#peek() as Token;
    const factor = this.#power();
    if (token.type === 'number' && node.kind === 'number') {
      // `1 1/2`
      if (!isWhole(node) || !isWhole(factor) || !this.#take('/')) throw NOT_MATH;
      return call('add', node, call('divide', factor, this.#atom()));
    }
    if (node.kind === 'degree' && factor.kind === 'symbol' && /^[CF]$/.test(factor.name)) return node;
    // A whole number before a fraction is a mixed number.
    const isFraction = token.type === 'command' && token.text === 'frac';
    const joined = (part: Node): Node =>
      isFraction && isWhole(node) && part.kind === 'call' && part.args.every(isWhole)
        ? call('add', node, part)
        : times(node, part);
    return factor.kind === 'percent' && isWhole(node) ? { kind: 'percent', of: joined(factor.of) } : joined(factor);
  }

  #startsFactor(): boolean {
    const token = this.#peek();
    if (token === undefined) return false;
    if (token.type === 'command') return token.text !== 'end';
    if (token.type !== 'sign') return true;
    if (token.text === '|') return this.#bars === 0;
    return ['(', '[', '{', '\\{', 'floor(', 'ceil(', 'root'].includes(token.text);
  }

  #signedFactor(): Node {
    if (this.#take('-')) return call('negate', this.#power());
    this.#take('+');
    return this.#power();
  }

  #power(): Node {
    let node = this.#atom();
    for (;;) {
      if (this.#take('^')) node = this.#raise(node);
      else if (this.#take('!')) node = call('factorial', node);
      else if (this.#take('deg')) node = { kind: 'degree', of: node };
      else if (this.#take('%')) node = { kind: 'percent', of: node };
      else if (this.#take('_')) this.#argument();
      else return node;
    }
  }

  /** A power; `^` before nothing, as a degree sign leaves it, changes nothing. */
  #raise(node: Node): Node {
    const token = this.#peek();
    const isBraced = ['{', 'deg', '}'].every((sign, i) => this.#tokens[this.#at + i]?.text === sign);
    if (isBraced) this.#at += 3;
    if (isBraced || this.#take('deg')) return { kind: 'degree', of: node };
    if (token === undefined || (token.type === 'sign' && !['{', '(', '-', '\\{'].includes(token.text))) return node;
    const exponent = this.#take('-') ? call('negate', this.#argument()) : this.#argument();
    if (exponent.kind === 'list' && exponent.items.length === 0) return node;
    return node.kind === 'text' ? node : call('power', node, exponent);
  }

  /** A group in braces, or a single digit, letter or command. */
  #argument(): Node {
    const token = this.#peek();
    if (token === undefined) throw NOT_MATH;
    if (token.type === 'sign' && token.text === '{') return this.#group();
    return this.#atom();
  }

  #group(): Node {
    this.#at++;
    const inside = this.#inside(() => this.#list());
    this.#take('}');
    return inside.items.length === 1 ? (inside.items[0] as Node) : inside;
  }

  /** Reads with no `|` open. */
  #inside<T>(read: () => T): T {
    const bars = this.#bars;
    this.#bars = 0;
    const result = read();
    this.#bars = bars;
    return result;
  }

  #atom(): Node {
    if (++this.#depth > MOST.depth) throw NOT_MATH;
    const node = this.#innermost();
    this.#depth--;
    return node;
  }

  #innermost(): Node {
    const token = this.#peek();
    if (token === undefined) throw NOT_MATH;
    if (token.type === 'sign') return this.#bracket(token.text);
    this.#at++;
    if (token.type === 'number') return numberNode(token.text);
    if (token.type === 'text') return { kind: 'text', text: token.text };
    return token.type === 'command' ? this.#command(token.text) : this.#name(token.text);
  }

  #bracket(sign: string): Node {
    if (sign === '{') return this.#group();
    this.#at++;
    if (sign === 'root') return call('sqrt', this.#argument());
    if (sign === '|') {
      this.#bars++;
      const inside = this.#sum();
      this.#bars--;
      this.#expect('|');
      return call('abs', inside);
    }
    if (sign === 'floor(' || sign === 'ceil(') {
      const name = sign === 'floor(' ? 'floor' : 'ceil';
      const inside = this.#inside(() => this.#sum());
      this.#expect(`${name})`);
      return call(name, inside);
    }
    if (sign !== '(' && sign !== '[' && sign !== '\\{') throw NOT_MATH;
    const open: Bracket = sign === '\\{' ? '{' : sign;
    // `{x | x > 3}` is what its condition says.
    const [name, bar] = [this.#peek(), this.#tokens[this.#at + 1]];
    const isCondition =
      open === '{' && name?.type === 'name' && bar?.type === 'sign' && (bar.text === '|' || bar.text === ':');
    if (isCondition) this.#at += 2;
    const { items } = this.#inside(() => this.#list());
    const close = this.#sign();
    if (close !== ')' && close !== ']' && close !== '\\}') throw NOT_MATH;
    this.#at++;
    const [first] = items;
    const pair = open + close;
    const isGroup = isCondition || pair === '()' || (pair === '[]' && first?.kind === 'matrix');
    if (first && items.length === 1 && isGroup) return first;
    return listOf(items, open, close === '\\}' ? '}' : close);
  }

  #command(name: string): Node {
    if (name === 'frac') return this.#fraction();
    if (name === 'binom') return call('choose', this.#argument(), this.#argument());
    if (name === 'begin') return this.#environment();
    if (name !== 'sqrt') throw NOT_MATH;
    if (!this.#take('[')) return call('sqrt', this.#argument());
    const degree = this.#inside(() => this.#sum());
    this.#expect(']');
    return call('root', degree, this.#argument());
  }

  /** `\frac{a}{b}`, and `\frac12` or `\frac1{72}`, where a number holds the first digit of what follows. */
  #fraction(): Node {
    const token = this.#peek();
    if (token?.type !== 'number' || token.text.length < 2) return call('divide', this.#argument(), this.#argument());
    this.#at++;
    const rest = token.text.slice(1);
    return call('divide', numberNode(token.text[0] as string), numberNode(rest));
  }

  #name(name: string): Node {
    if (FUNCTIONS.has(name)) return this.#function(name);
    if (name === 'sqrt') return call('sqrt', this.#argument());
    const subscript = this.#take('_') ? `_${this.#subscript()}` : '';
    return { kind: 'symbol', name: name + subscript };
  }

  /** The tokens of a subscript as text: it belongs to the name. */
  #subscript(): string {
    if (!this.#take('{')) {
      const token = this.#peek();
      this.#at++;
      return token?.text ?? '';
    }
    let name = '';
    for (let depth = 1; this.#at < this.#tokens.length; this.#at++) {
      const { text } = this.#peek() as Token;
      if (text === '{') depth++;
      if (text === '}' && --depth === 0) break;
      name += text;
    }
    this.#at++;
    return name;
  }

  /** `\sin x`, `\sin^2 x`, `\log_2 8`: takes the next factor. */
  #function(name: string): Node {
    const base = name === 'log' && this.#take('_') ? this.#argument() : null;
    const exponent = this.#take('^') ? this.#argument() : null;
    if (!this.#startsFactor()) throw NOT_MATH;
    const inner = this.#power();
    // `\sin^{-1}` is the inverse function.
    const one = exponent ? unsigned(exponent) : exponent;
    const isInverse = one !== exponent && one?.kind === 'number' && one.value === 1;
    if (isInverse && ['sin', 'cos', 'tan'].includes(name)) return call(`a${name}` as CallName, inner);
    const value = base ? call('logBase', base, inner) : call(FUNCTIONS.get(name) as CallName, inner);
    return exponent ? call('power', value, exponent) : value;
  }

  /** `\begin{pmatrix} a & b \\ c & d \end{pmatrix}`; the column letters of an array are skipped. */
  #environment(): Node {
    if (this.#environmentName() === 'array') this.#environmentName();
    const rows: Node[][] = [[]];
    for (;;) {
      const token = this.#peek();
      if (token === undefined) throw NOT_MATH;
      if (token.type === 'command' && token.text === 'end') break;
      if (this.#take('\\\\')) rows.push([]);
      else if (!this.#take('&')) rows.at(-1)?.push(this.#inside(() => this.#relation()));
    }
    this.#at++;
    this.#environmentName();
    return { kind: 'matrix', rows: rows.filter((row) => row.length > 0) };
  }

  /** What stands in braces; empty where nothing does. */
  #environmentName(): string {
    let name = '';
    if (!this.#take('{')) return name;
    while (this.#at < this.#tokens.length && this.#sign() !== '}') name += (this.#tokens[this.#at++] as Token).text;
    this.#at++;
    return name;
  }
}

/** A product; a unit beside a value is dropped, words beside words are joined. */
function times(a: Node, b: Node): Node {
  if (a.kind === 'text' && b.kind === 'text') return { kind: 'text', text: `${a.text} ${b.text}` };
  if (b.kind === 'text') return a;
  if (a.kind !== 'text') return call('multiply', a, b);
  // A word before a value may be a unit, such as `Rs`: anything longer is prose.
  if (a.text.length > 3) throw NOT_MATH;
  return b;
}
