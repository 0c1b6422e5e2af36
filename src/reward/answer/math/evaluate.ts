// Computes a scalar tree at a point: a value for every symbol. Two expressions are held to be equal where they agree at
// several points. Nothing of the text is run.
import * as complex from './complex.js';
import { type Complex, real } from './complex.js';
import type { CallName, Node } from './node.js';

/** Points at which expressions are compared; the last one gives negative values. */
export const POINTS = 4;

const CONSTANTS = new Map<string, Complex>([
  ['pi', real(Math.PI)],
  ['e', real(Math.E)],
  ['i', complex.I],
  ['infty', real(Number.POSITIVE_INFINITY)],
]);

/** Value of `node` at point number `point`; NaN where it has none. */
export function evaluate(node: Node, point: number): Complex {
  if (node.kind === 'number') return real(node.value);
  if (node.kind === 'symbol') return CONSTANTS.get(node.name) ?? real(symbolValue(node.name, point));
  if (node.kind === 'percent' || node.kind === 'degree') return evaluate(node.of, point);
  if (node.kind !== 'call') return real(Number.NaN);
  const args: Complex[] = [];
  for (const arg of node.args) args.push(evaluate(arg, point));
  if (node.args[0]?.kind === 'degree' && TRIGONOMETRIC.has(node.name))
    args[0] = complex.multiply(args[0] as Complex, DEGREE);
  const result = OPERATIONS[node.name](args[0] as Complex, args[1] as Complex);
  // A root that leaves the real numbers for a negative symbol says that the symbol is meant to be positive.
  const leaves = point === POINTS - 1 && result.im !== 0 && args.every(({ im }) => im === 0);
  return leaves ? real(Number.NaN) : result;
}

const DEGREE = real(Math.PI / 180);
const TRIGONOMETRIC = new Set<CallName>(['sin', 'cos', 'tan', 'cot', 'sec', 'csc']);

/** A number between 0.5 and 2.5 that the name and the point decide, negative at the last point. */
function symbolValue(name: string, point: number): number {
  let hash = 2166136261 + point * 97;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 16777619);
  hash = Math.imul(hash ^ (hash >>> 15), 2246822519);
  const share = ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32;
  return (0.5 + 2 * share) * (point === POINTS - 1 ? -1 : 1);
}

const OPERATIONS: Record<CallName, (a: Complex, b: Complex) => Complex> = {
  ...{
    add: complex.add,
    multiply: complex.multiply,
    divide: complex.divide,
    power: complex.power,
    negate: complex.negate,
  },
  abs: (a) => real(complex.size(a)),
  sqrt: (a) => complex.root(real(2), a),
  root: complex.root,
  factorial: (a) => real(factorial(a.re)),
  choose: (a, b) => real(factorial(a.re) / (factorial(b.re) * factorial(a.re - b.re))),
  ...{ sin: complex.sin, cos: complex.cos, exp: complex.exp, ln: complex.log },
  tan: (a) => complex.divide(complex.sin(a), complex.cos(a)),
  cot: (a) => complex.divide(complex.cos(a), complex.sin(a)),
  sec: (a) => complex.divide(real(1), complex.cos(a)),
  csc: (a) => complex.divide(real(1), complex.sin(a)),
  asin: (a) => real(Math.asin(a.re)),
  acos: (a) => real(Math.acos(a.re)),
  atan: (a) => real(Math.atan(a.re)),
  log: (a) => complex.divide(complex.log(a), real(Math.LN10)),
  logBase: (base, a) => complex.divide(complex.log(a), complex.log(base)),
  floor: (a) => real(Math.floor(a.re)),
  ceil: (a) => real(Math.ceil(a.re)),
};

/** `n!` for whole numbers, its continuation (gamma of n + 1) between them, so that identities of factorials hold at any point. */
function factorial(n: number): number {
  if (Number.isInteger(n)) return wholeFactorial(n);
  // Below zero by the recurrence, as the series holds for positive numbers only.
  if (n < 0) return n < -64 ? Number.NaN : factorial(n + 1) / (n + 1);
  return gamma(n + 1);
}

function wholeFactorial(n: number): number {
  if (n < 0 || n > 170) return Number.NaN;
  let product = 1;
  for (let i = 2; i <= n; i++) product *= i;
  return product;
}

/** Stirling's series of the logarithm, at an argument raised above 8, where its error is below 1e-11. */
function gamma(x: number): number {
  let below = 1;
  let at = x;
  for (; at < 8; at++) below *= at;
  const inverse = 1 / (at * at);
  const series = (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse / 1680))) / at;
  return Math.exp((at - 0.5) * Math.log(at) - at + 0.5 * Math.log(2 * Math.PI) + series) / below;
}

/** True where two scalar trees agree at every point at which both have a value, and at two of them at least. */
export function sameValue(a: Node, b: Node, scale = 1): boolean {
  const tolerance = Math.max(roundingOf(a, isExact(b) ? ROUNDED : LONG), roundingOf(b, LONG));
  if (a.kind === 'number' && b.kind === 'number') {
    const wanted = b.value * scale;
    if (!Number.isFinite(a.value) || !Number.isFinite(wanted)) return false;
    return Math.abs(a.value - wanted) <= Math.max(RELATIVE * Math.max(Math.abs(a.value), Math.abs(wanted)), tolerance);
  }
  let agreed = 0;
  for (let point = 0; point < POINTS; point++) {
    const [x, y] = [evaluate(a, point), complex.multiply(evaluate(b, point), real(scale))];
    if (!complex.isNumber(x) || !complex.isNumber(y)) {
      // A value beyond the range of numbers says nothing; infinity itself does.
      if (!isInfinity(a) || !isInfinity(b)) continue;
      if (x.re !== y.re) return false;
    } else if (!close(x, y, tolerance)) return false;
    agreed++;
  }
  return agreed >= 2;
}

/** True for infinity with or without a minus sign. */
export function isInfinity(node: Node): boolean {
  const inner = node.kind === 'call' && node.name === 'negate' ? node.args[0] : node;
  return inner?.kind === 'symbol' && inner.name === 'infty';
}

const RELATIVE = 1e-6;

function close(a: Complex, b: Complex, absolute: number): boolean {
  const gap = complex.size(complex.subtract(a, b));
  return gap <= Math.max(RELATIVE * Math.max(complex.size(a), complex.size(b)), absolute);
}

/** Digits from which a decimal number stands for a rounded value: against any other, and against an exact expression such as `200/3`. */
const LONG = 5;
const ROUNDED = 3;

/** Half a unit of the last decimal of a number written with so many digits or more. */
function roundingOf(node: Node, digits: number): number {
  const number = unsigned(node);
  if (number.kind !== 'number' || number.decimals === undefined || (number.digits ?? 0) < digits) return 0;
  return 0.5 * 10 ** -number.decimals * (1 + 1e-9);
}

/** True for an expression without decimals. */
function isExact(node: Node): boolean {
  return unsigned(node).kind === 'call' && !hasDecimals(node);
}

function hasDecimals(node: Node): boolean {
  return node.kind === 'call' ? node.args.some(hasDecimals) : node.kind === 'number' && (node.decimals ?? 0) > 0;
}

function unsigned(node: Node): Node {
  return node.kind === 'call' && node.name === 'negate' ? (node.args[0] as Node) : node;
}
