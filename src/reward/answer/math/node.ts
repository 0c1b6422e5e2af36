// The tree that a mathematical answer is read into, and the nodes that more than one reader builds.

export type Node =
  | {
      readonly kind: 'number';
      readonly value: number;
      /** Significant digits where it was written as a decimal. */
      readonly digits?: number;
      readonly decimals?: number;
    }
  | { readonly kind: 'symbol'; readonly name: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'call'; readonly name: CallName; readonly args: readonly Node[] }
  | { readonly kind: 'percent' | 'degree'; readonly of: Node }
  /** `a ± b`: two values. */
  | { readonly kind: 'either'; readonly plus: Node; readonly minus: Node }
  /** `open` is empty for a list without brackets. */
  | { readonly kind: 'list'; readonly open: Bracket; readonly close: Bracket; readonly items: readonly Node[] }
  | { readonly kind: 'matrix'; readonly rows: readonly (readonly Node[])[] }
  /** `terms[0] signs[0] terms[1] ...` */
  | { readonly kind: 'relation'; readonly terms: readonly Node[]; readonly signs: readonly RelationSign[] }
  /** `A \\ B` */
  | { readonly kind: 'difference'; readonly from: Node; readonly removed: Node }
  | { readonly kind: 'union'; readonly sets: readonly Node[] };

export type NodeOf<K extends Node['kind']> = Extract<Node, { kind: K }>;
export type Bracket = '' | '(' | '[' | '{' | ')' | ']' | '}';
export type RelationSign = '=' | '~' | '<' | '>' | '<=' | '>=' | '!=' | 'in';

/** Operations that can be computed. */
export type CallName =
  | ('add' | 'multiply' | 'divide' | 'power' | 'negate' | 'abs' | 'sqrt' | 'root' | 'factorial' | 'choose')
  | ('sin' | 'cos' | 'tan' | 'cot' | 'sec' | 'csc' | 'asin' | 'acos' | 'atan' | 'ln' | 'log' | 'logBase' | 'exp')
  | ('floor' | 'ceil');

export function call(name: CallName, ...args: Node[]): Node {
  return { kind: 'call', name, args };
}

export function listOf(items: readonly Node[], open: Bracket = '', close: Bracket = ''): NodeOf<'list'> {
  return { kind: 'list', open, close, items };
}

/** A number as it is written, in digits. */
export function numberNode(text: string): Node {
  const [, whole = '', fraction, power] = /^(\d*)\.?(\d*)(?:[eE](.+))?$/.exec(text) ?? [];
  const isDecimal = text.includes('.');
  const decimals = isDecimal && fraction !== undefined ? fraction.length - Number(power ?? 0) : undefined;
  const digits = `${whole}${fraction}`.replace(/^0+/, '').length;
  return { kind: 'number', value: Number(text), digits, decimals };
}

/** True where a node is a value that can be computed, and no list, relation or text. */
export function isScalar(node: Node): boolean {
  if (node.kind === 'call') return node.args.every(isScalar);
  if (node.kind === 'percent' || node.kind === 'degree') return isScalar(node.of);
  return node.kind === 'number' || node.kind === 'symbol';
}

export function isWhole(node: Node): boolean {
  return node.kind === 'number' && Number.isInteger(node.value);
}

/** Without a minus sign in front. */
export function unsigned(node: Node): Node {
  return node.kind === 'call' && node.name === 'negate' ? (node.args[0] as Node) : node;
}

/** True for infinity with or without a minus sign. */
export function isInfinity(node: Node): boolean {
  const bare = unsigned(node);
  return bare.kind === 'symbol' && bare.name === 'infty';
}
