// Says whether two mathematical answers are the same: numbers, expressions, lists, sets, intervals, matrices,
// equations, inequalities.
import { evaluate, POINTS, sameValue } from './evaluate.js';
import { type Bracket, call, isInfinity, isScalar, listOf, type Node, type NodeOf, type RelationSign } from './node.js';

/** True where the answer says the same as the gold answer. */
export function sameMath(gold: Node, answer: Node): boolean {
  const [a, b] = [simplify(gold), simplify(answer)];
  if (sameNode(a, b)) return true;
  // `x = 5` answers the question as `5` does, and `x = a, b` as `a, b`.
  const assigned = [a, b].some((node) =>
    (node.kind === 'list' ? node.items : [node]).some(({ kind }) => kind === 'relation'),
  );
  return assigned && !namesDecide(a, b) && sameNode(values(a), values(b));
}

/** Relations over one unknown become intervals, `x in S` becomes S, `a ± b` a list of two, lists of lists without brackets one list. */
function simplify(node: Node): Node {
  if (node.kind === 'either') return listOf([simplify(node.plus), simplify(node.minus)]);
  if (node.kind === 'relation') return simplifyRelation(node);
  if (node.kind === 'union') return { kind: 'union', sets: node.sets.map(simplify) };
  if (node.kind === 'difference') return withoutPoints(simplify(node.from), simplify(node.removed));
  // A system of equations under one brace is the list of them.
  if (node.kind === 'matrix' && node.rows.flat().every(({ kind }) => kind === 'relation'))
    return simplify(listOf(node.rows.flat()));
  if (node.kind === 'matrix') return { kind: 'matrix', rows: node.rows.map((row) => row.map(simplify)) };
  if (node.kind !== 'list') {
    // A scalar that holds `a ± b` inside is two values.
    const plus = chosen(node, 'plus');
    return plus === node ? node : listOf([plus, chosen(node, 'minus')]);
  }
  const excluded = node.open === '' && node.items.length > 1 ? withoutExcluded(node.items) : null;
  if (excluded) return excluded;
  const items = node.items
    .map(simplify)
    .flatMap((item) => (item.kind === 'list' && item.open === '' ? item.items : [item]));
  if (node.open === '{' && items.length === 0) return { kind: 'symbol', name: 'emptyset' };
  if (isOrdered(node.open) && items.length === 2 && items.every(isInfinity)) return { kind: 'symbol', name: 'R' };
  return { ...node, items };
}

/** `x != 2`, or `x != 2 and x != 3`, as the real numbers without these; null for anything else. */
function withoutExcluded(items: readonly Node[]): Node | null {
  const names = new Set<string>();
  const points: Node[] = [];
  for (const item of items) {
    const [left, right] = item.kind === 'relation' && item.signs.join() === '!=' ? item.terms : [];
    if (left?.kind !== 'symbol' || right === undefined || !isConstant(right)) return null;
    names.add(left.name);
    points.push(right);
  }
  return names.size === 1 ? withoutPoints(REALS, listOf(points, '{', '}')) : null;
}

/** `|x - 1| < 3` as what it says of x; null for any other relation. */
function withinDistance({ terms, signs }: NodeOf<'relation'>): Node | null {
  const at = terms.findIndex((term) => term.kind === 'call' && term.name === 'abs');
  const [inside, bound] = [(terms[at] as NodeOf<'call'> | undefined)?.args[0], terms[1 - at]];
  if (signs.length !== 1 || inside === undefined || bound === undefined || !isConstant(bound)) return null;
  const sign = at === 0 ? signs[0] : TURNED[signs[0] as RelationSign];
  const isShifted = inside.kind === 'call' && inside.name === 'add';
  const [name, shift] = isShifted ? inside.args : [inside, { kind: 'number', value: 0 } as const];
  if (name?.kind !== 'symbol' || shift === undefined || !isConstant(shift) || sign === undefined || !(sign in TURNED))
    return null;
  const [low, high] = [call('negate', bound), bound].map((end) => call('add', end, call('negate', shift))) as [
    Node,
    Node,
  ];
  const closed = sign.endsWith('=');
  if (sign.startsWith('<')) return between(low, closed, high, closed);
  return { kind: 'union', sets: [between(undefined, false, low, closed), between(high, closed, undefined, false)] };
}

const REALS: Node = { kind: 'symbol', name: 'R' };

/** An interval with the ends that belong to it; one that is not given is infinite. */
function between(low: Node | undefined, lowClosed: boolean, high: Node | undefined, highClosed: boolean): Node {
  const infinity: Node = { kind: 'symbol', name: 'infty' };
  const ends = [low ?? call('negate', infinity), high ?? infinity];
  return listOf(ends, lowClosed ? '[' : '(', highClosed ? ']' : ')');
}

/** The real numbers without some of them, as intervals; any other difference as a relation that equals only itself. */
function withoutPoints(from: Node, removed: Node): Node {
  const points = removed.kind === 'list' && removed.open === '{' ? removed.items : [removed];
  const isReal = from.kind === 'symbol' && from.name === 'R';
  if (!isReal || !points.every(isConstant)) return { kind: 'relation', terms: [from, removed], signs: ['!='] };
  const sorted = [...points].sort((a, b) => evaluate(a, 0).re - evaluate(b, 0).re);
  const ends = [undefined, ...sorted, undefined];
  return { kind: 'union', sets: ends.slice(1).map((high, i) => between(ends[i], false, high, false)) };
}

/** One of the two values of every `a ± b` inside; the node itself where it holds none. */
function chosen(node: Node, side: 'plus' | 'minus'): Node {
  if (node.kind === 'either') return chosen(node[side], side);
  if (node.kind !== 'call') return node;
  const args = node.args.map((arg) => chosen(arg, side));
  return args.every((arg, i) => arg === node.args[i]) ? node : { ...node, args };
}

function simplifyRelation({ terms, signs }: NodeOf<'relation'>): Node {
  const last = terms.at(-1) as Node;
  if (signs.at(-1) === 'in') return simplify(last);
  const simple: NodeOf<'relation'> = { kind: 'relation', terms: terms.map(simplify), signs };
  return withoutExcluded([simple]) ?? withinDistance(simple) ?? interval(simple) ?? simple;
}

const TURNED: Partial<Record<RelationSign, RelationSign>> = { '<': '>', '>': '<', '<=': '>=', '>=': '<=' };

/** `a < x <= b`, `x > a`, `a > f(x)` with one side that is not constant, as an interval. */
function interval({ terms, signs }: NodeOf<'relation'>): Node | null {
  const at = terms.findIndex((term) => !isConstant(term));
  if (at < 0 || !isLabel(terms[at] as Node) || terms.length > 3 || (terms.length === 3 && at !== 1)) return null;
  const bounds: { lower?: [Node | undefined, boolean]; upper?: [Node | undefined, boolean] } = {};
  for (const [i, sign] of signs.entries()) {
    const other = terms[i < at ? i : i + 1] as Node;
    const turned = i < at ? TURNED[sign] : sign;
    if (turned === undefined || !(turned in TURNED) || !isConstant(other)) return null;
    const closed = turned.endsWith('=');
    bounds[turned.startsWith('<') ? 'upper' : 'lower'] = [other, closed];
  }
  const { lower = [undefined, false], upper = [undefined, false] } = bounds;
  if (signs.length === 2 && !(bounds.lower && bounds.upper)) return null;
  return between(...lower, ...upper);
}

/** Without the left sides of assignments: of `x = 2a = 8`, 8; of `1/3 ~ 0.33`, 1/3. */
function values(node: Node): Node {
  if (node.kind === 'list') return simplify({ ...node, items: node.items.map(values) });
  if (node.kind !== 'relation' || !node.signs.every((sign) => sign === '=' || sign === '~')) return node;
  if (!isLabel(node.terms[0] as Node)) return node;
  const rounded = node.signs.indexOf('~');
  return (rounded < 0 ? node.terms.at(-1) : node.terms[rounded]) as Node;
}

/** True for what an answer may be assigned to: `x`, `f(x)`, `(p, q)`, `|AB|`, words, or a sum that was worked out. */
function isLabel(node: Node): boolean {
  if (node.kind === 'symbol' || node.kind === 'text') return true;
  if (node.kind === 'list') return node.items.every(isLabel);
  if (isConstant(node)) return true;
  return node.kind === 'call' && ['multiply', 'divide', 'abs'].includes(node.name) && node.args.every(isLabel);
}

function isConstant(node: Node): boolean {
  if (node.kind === 'call') return node.args.every(isConstant);
  if (node.kind === 'symbol') return node.name === 'pi' || node.name === 'infty' || node.name === 'e';
  return node.kind === 'number' || node.kind === 'percent' || node.kind === 'degree';
}

/** True for `x = 1` and `y = 1`, which speak of two things, and for `x = 1, y = 2` and `x = 2, y = 1`, which name the same. */
function namesDecide(a: Node, b: Node): boolean {
  const [x, y] = [a, b].map((node) => {
    const items = node.kind === 'list' ? node.items : [node];
    const left = items.map((item) => (item.kind === 'relation' ? item.terms[0] : undefined));
    const names = left.flatMap((side) => (side?.kind === 'symbol' ? [side.name] : [])).sort();
    return names.length === items.length && new Set(names).size === names.length ? names : null;
  });
  if (!x || !y) return false;
  return x.length === 1 && y.length === 1 ? x[0] !== y[0] : x.join() === y.join();
}

function sameNode(a: Node, b: Node): boolean {
  if (isScalar(a) && isScalar(b)) return sameScalar(a, b);
  if (a.kind === 'text' || b.kind === 'text') return plainName(a) !== '' && plainName(a) === plainName(b);
  if (a.kind === 'list' && b.kind === 'list') return sameList(a, b);
  if (a.kind === 'matrix' || b.kind === 'matrix') return sameMatrix(a, b);
  if (a.kind === 'union' || b.kind === 'union') {
    // `x < 2 or x > 3` is a union as well.
    const [x, y] = [a, b].map((node): readonly Node[] =>
      node.kind === 'union' ? node.sets : node.kind === 'list' && node.open === '' ? node.items : [node],
    ) as [readonly Node[], readonly Node[]];
    return sameItems(x, y, false);
  }
  if (a.kind === 'relation' && b.kind === 'relation') return sameRelation(a, b);
  // `{5}` is 5.
  const [x, y] = [a, b].map((node) =>
    node.kind === 'list' && node.items.length === 1 && (node.open === '{' || node.open === '') ? node.items[0] : node,
  ) as [Node, Node];
  return (x !== a || y !== b) && sameNode(x, y);
}

/** Equal values; of `28 %` both 28 and 0.28 count, of 45 degrees both 45 and pi/4, but only against a value without that sign. */
function sameScalar(a: Node, b: Node): boolean {
  if (sameValue(a, b)) return true;
  const isMarked = ({ kind }: Node): boolean => kind === 'percent' || kind === 'degree';
  const [marked, other] = isMarked(a) ? [a, b] : [b, a];
  if (isMarked(marked) && !isMarked(other))
    return sameValue(other, marked, marked.kind === 'percent' ? 0.01 : Math.PI / 180);
  const name = plainName(a);
  return name.length > 2 && name === plainName(b);
}

/** Words, or a letter that may be a word: `\text{E}` is `E`. */
function plainName(node: Node): string {
  if (node.kind === 'text') return node.text.length === 1 ? node.text : node.text.toLowerCase();
  if (node.kind === 'symbol') return node.name;
  if (node.kind === 'number') return String(node.value);
  const names = node.kind === 'call' && node.name === 'multiply' ? node.args.map(plainName) : [''];
  return names.includes('') ? '' : names.join('').toLowerCase();
}

function sameList(a: NodeOf<'list'>, b: NodeOf<'list'>): boolean {
  // Two items in round and square brackets are the ends of an interval: there the brackets count.
  const [x, y] = [isOrdered(a.open), isOrdered(b.open)];
  if (a.items.length === 2 && x && y && !(a.open === b.open && a.close === b.close)) return false;
  return (x === y || a.open === '' || b.open === '') && sameItems(a.items, b.items, x || y);
}

function isOrdered(open: Bracket): boolean {
  return open === '(' || open === '[';
}

/** Items in order, as longer lists always are, or as sets, in which an item that stands twice counts once. */
function sameItems(a: readonly Node[], b: readonly Node[], ordered: boolean): boolean {
  if (ordered || Math.max(a.length, b.length) > 64)
    return a.length === b.length && a.every((item, i) => sameNode(item, b[i] as Node));
  // Each pair once: asking again in the other direction would double the work with every level that sets are nested.
  const met = new Set<number>();
  const within = (item: Node): boolean => {
    const same = b.flatMap((other, i) => (sameNode(item, other) ? [i] : []));
    for (const i of same) met.add(i);
    return same.length > 0;
  };
  return a.every(within) && met.size === b.length;
}

/** Matrices entry by entry; a matrix of one row or column also against a list. */
function sameMatrix(a: Node, b: Node): boolean {
  const [x, y] = [a, b].map((node) => {
    if (node.kind === 'matrix') return node.rows;
    return node.kind === 'list' ? node.items.map((item) => [item]) : null;
  });
  if (!x || !y) return false;
  if (a.kind === 'matrix' && b.kind === 'matrix')
    return x.length === y.length && x.every((row, i) => sameItems(row, y[i] ?? [], true));
  return sameItems(x.flat(), y.flat(), true) && (x.length === 1 || x.every((row) => row.length === 1));
}

/** Two equations or inequalities of two sides each whose differences are a constant multiple of each other. */
function sameRelation(a: NodeOf<'relation'>, b: NodeOf<'relation'>): boolean {
  const [x, y] = [a, b].map(({ terms: [left, right], signs }) =>
    signs.length === 1 && left && right && isScalar(left) && isScalar(right)
      ? call('add', left, call('negate', right))
      : null,
  );
  if (!x || !y) return a.signs.join() === b.signs.join() && sameItems(a.terms, b.terms, true);
  const ratios: number[] = [];
  for (const point of POINTS) {
    const [u, v] = [evaluate(x, point), evaluate(y, point)];
    if (u.im === 0 && v.im === 0 && Number.isFinite(u.re) && Number.isFinite(v.re)) ratios.push(u.re / v.re);
  }
  const first = ratios[0];
  if (first === undefined || ratios.length < 3 || !Number.isFinite(first) || first === 0) return false;
  if (!ratios.every((ratio) => Math.abs(ratio - first) <= 1e-6 * Math.abs(first))) return false;
  const sign = a.signs[0] as RelationSign;
  return b.signs[0] === (first < 0 ? (TURNED[sign] ?? sign) : sign);
}
