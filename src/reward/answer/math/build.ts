// Puts the parts that a parser read together: signs, products, mixed numbers, units.
import { call, type Node } from './node.js';

/** Thrown while reading and caught by parseMath: the text is not a mathematical answer. */
class UnreadableMath extends Error {}

/** One for all: it carries nothing, and many texts are tried. */
export const NOT_MATH = new UnreadableMath();

export function isMinusOne(node: Node): boolean {
  const inner = node.kind === 'call' && node.name === 'negate' ? node.args[0] : undefined;
  return inner?.kind === 'number' && inner.value === 1;
}

export function isWhole(node: Node): boolean {
  return node.kind === 'number' && Number.isInteger(node.value);
}

/** `left` plus, minus or plus-or-minus `term`. */
export function added(left: Node | null, term: Node, sign: string): Node {
  const negative = call('negate', term);
  const plus = left === null ? term : call('add', left, term);
  if (sign === '+') return plus;
  const minus = left === null ? negative : call('add', left, negative);
  return sign === '-' ? minus : { kind: 'either', plus, minus };
}

/** Longest word before a value that may be a unit, such as `Rs`: anything longer is prose. */
const UNIT_BEFORE = 3;

/** A product; a unit beside a value is dropped, words beside words are joined. */
export function times(a: Node, b: Node): Node {
  if (a.kind === 'text' && b.kind === 'text') return { kind: 'text', text: `${a.text} ${b.text}` };
  if (b.kind === 'text') return a;
  if (a.kind === 'text') {
    if (a.text.length > UNIT_BEFORE) throw NOT_MATH;
    return b;
  }
  return call('multiply', a, b);
}

/** A whole number before a fraction is a mixed number. */
export function beside(node: Node, factor: Node, isFraction: boolean): Node {
  const isMixed = isFraction && isWhole(node) && factor.kind === 'call' && factor.args.every(isWhole);
  return isMixed ? call('add', node, factor) : times(node, factor);
}

/** A quotient; a unit below the line is dropped as one beside a value is. */
export function over(a: Node, b: Node): Node {
  return a.kind !== 'text' && b.kind === 'text' ? a : call('divide', a, b);
}

export function numberNode(text: string): Node {
  const [, whole = '', fraction, power] = /^(\d*)\.?(\d*)(?:[eE](.+))?$/.exec(text) ?? [];
  const isDecimal = text.includes('.');
  const decimals = isDecimal && fraction !== undefined ? fraction.length - Number(power ?? 0) : undefined;
  const digits = `${whole}${fraction}`.replace(/^0+/, '').length;
  return { kind: 'number', value: Number(text), digits, decimals };
}
