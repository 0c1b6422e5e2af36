// Computes a scalar tree at a point: a value for every symbol. Two expressions are held to be equal where they agree at
// several points. Nothing of the text is run.
import { Complex } from './complex.js';
import { type CallName, isInfinity, isScalar, type Node, unsigned } from './node.js';

/** Points at which expressions are compared, by number; the last one gives negative values. */
export const POINTS: readonly number[] = [0, 1, 2, 3];
const LAST = 3;

const CONSTANTS = new Map([
  ['pi', new Complex(Math.PI)],
  ['e', new Complex(Math.E)],
  ['i', new Complex(0, 1)],
  ['infty', new Complex(Number.POSITIVE_INFINITY)],
]);
const TRIGONOMETRIC = new Set<CallName>(['sin', 'cos', 'tan', 'cot', 'sec', 'csc']);

/** Value of `node` at point number `point`; NaN where it has none. */
export function evaluate(node: Node, point: number): Complex {
  if (node.kind === 'number') return new Complex(node.value);
  if (node.kind === 'symbol') return CONSTANTS.get(node.name) ?? new Complex(symbolValue(node.name, point));
  if (node.kind === 'percent' || node.kind === 'degree') return evaluate(node.of, point);
  if (node.kind !== 'call') return new Complex(Number.NaN);
  const args: Complex[] = [];
  for (const arg of node.args) args.push(evaluate(arg, point));
  if (node.args[0]?.kind === 'degree' && TRIGONOMETRIC.has(node.name))
    args[0] = (args[0] as Complex).times(new Complex(Math.PI / 180));
  const result = OPERATIONS[node.name](args[0] as Complex, args[1] as Complex);
  // A root that leaves the real numbers for a negative symbol says that the symbol is meant to be positive.
  const leaves = point === LAST && result.im !== 0 && args.every(({ im }) => im === 0);
  return leaves ? new Complex(Number.NaN) : result;
}

/** The value of a tree without unknowns; null where it has none. */
export function constant(node: Node): number | null {
  if (!isScalar(node)) return null;
  const { re, im } = evaluate(node, 0);
  const isOne =
    im === 0 && Number.isFinite(re) && POINTS.every((point) => point === 0 || evaluate(node, point).re === re);
  return isOne ? re : null;
}

/** A number between 0.5 and 2.5 that the name and the point decide, negative at the last point. */
function symbolValue(name: string, point: number): number {
  let hash = 2166136261 + point * 97;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 16777619);
  hash = Math.imul(hash ^ (hash >>> 15), 2246822519);
  const share = ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32;
  return (0.5 + 2 * share) * (point === LAST ? -1 : 1);
}

const OPERATIONS: Record<CallName, (a: Complex, b: Complex) => Complex> = {
  add: (a, b) => a.plus(b),
  multiply: (a, b) => a.times(b),
  divide: (a, b) => a.over(b),
  power: (a, b) => a.power(b),
  negate: (a) => a.negated(),
  abs: (a) => new Complex(a.size),
  sqrt: (a) => a.root(new Complex(2)),
  root: (degree, a) => a.root(degree),
  factorial: (a) => new Complex(factorial(a.re)),
  choose: (a, b) => new Complex(factorial(a.re) / (factorial(b.re) * factorial(a.re - b.re))),
  sin: (a) => a.sin(),
  cos: (a) => a.cos(),
  tan: (a) => a.sin().over(a.cos()),
  cot: (a) => a.cos().over(a.sin()),
  sec: (a) => new Complex(1).over(a.cos()),
  csc: (a) => new Complex(1).over(a.sin()),
  asin: (a) => new Complex(Math.asin(a.re)),
  acos: (a) => new Complex(Math.acos(a.re)),
  atan: (a) => new Complex(Math.atan(a.re)),
  exp: (a) => a.exp(),
  ln: (a) => a.log(),
  log: (a) => a.log().over(new Complex(Math.LN10)),
  logBase: (base, a) => a.log().over(base.log()),
  floor: (a) => new Complex(Math.floor(a.re)),
  ceil: (a) => new Complex(Math.ceil(a.re)),
};

/** `n!` for whole numbers, its continuation (gamma of n + 1) between them, so that identities of factorials hold at any point. */
function factorial(n: number): number {
  if (Number.isInteger(n)) {
    if (n < 0 || n > 170) return Number.NaN;
    let product = 1;
    for (let i = 2; i <= n; i++) product *= i;
    return product;
  }
  // Below zero by the recurrence, as the series holds for positive numbers only.
  if (n < 0) return n < -64 ? Number.NaN : factorial(n + 1) / (n + 1);
  // Stirling's series of the logarithm, at an argument raised above 8, where its error is below 1e-11.
  let below = 1;
  let at = n + 1;
  for (; at < 8; at++) below *= at;
  const inverse = 1 / (at * at);
  const series = (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse / 1680))) / at;
  return Math.exp((at - 0.5) * Math.log(at) - at + 0.5 * Math.log(2 * Math.PI) + series) / below;
}

/** True where two scalar trees agree at every point at which both have a value, and at two of them at least. */
export function sameValue(a: Node, b: Node, scale = 1): boolean {
  // A decimal stands for a rounded value from so many digits on: fewer against an exact expression such as `200/3`.
  const isExact = unsigned(b).kind === 'call' && !hasDecimals(b);
  const tolerance = Math.max(roundingOf(a, isExact ? 3 : 5), roundingOf(b, 5));
  const relative = 1e-6;
  if (a.kind === 'number' && b.kind === 'number') {
    const wanted = b.value * scale;
    if (!Number.isFinite(a.value) || !Number.isFinite(wanted)) return false;
    return Math.abs(a.value - wanted) <= Math.max(relative * Math.max(Math.abs(a.value), Math.abs(wanted)), tolerance);
  }
  let agreed = 0;
  for (const point of POINTS) {
    const [x, y] = [evaluate(a, point), evaluate(b, point).times(new Complex(scale))];
    if (!x.isFinite || !y.isFinite) {
      // A value beyond the range of numbers says nothing; infinity itself does.
      if (!isInfinity(a) || !isInfinity(b)) continue;
      if (x.re !== y.re) return false;
    } else if (!(x.minus(y).size <= Math.max(relative * Math.max(x.size, y.size), tolerance))) return false;
    agreed++;
  }
  return agreed >= 2;
}

/** Half a unit of the last decimal of a number written with so many digits or more. */
function roundingOf(node: Node, digits: number): number {
  const number = unsigned(node);
  if (number.kind !== 'number' || number.decimals === undefined || (number.digits ?? 0) < digits) return 0;
  return 0.5 * 10 ** -number.decimals * (1 + 1e-9);
}

function hasDecimals(node: Node): boolean {
  return node.kind === 'call' ? node.args.some(hasDecimals) : node.kind === 'number' && (node.decimals ?? 0) > 0;
}
