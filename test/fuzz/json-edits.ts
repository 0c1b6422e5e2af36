// Edits of JSON documents that a parser may stumble over: other values, keys that stand twice or are spelt in another
// way, depth, length.
import fc, { type Arbitrary } from 'fast-check';
import { lengths, text } from './texts.js';

/** JSON as it is written: values that JavaScript's own writer would never write are among them. */
const oddJson = [
  ...[
    'null',
    'true',
    'false',
    '0',
    '-0',
    '1',
    '-1',
    '0.5',
    '1.5',
    '255',
    '65536',
    '2147483648',
    '4294967296',
    '9007199254740993',
  ],
  ...[
    '18446744073709551615',
    '1e400',
    '-1e400',
    '1e-400',
    '1E+2',
    '1e15',
    '""',
    '[]',
    '{}',
    '[[]]',
    '[{}]',
    '[null]',
    '{"a":1}',
  ],
  ...[
    '{"__proto__":{"a":1}}',
    '{"__proto__":null}',
    '{"toString":1}',
    '{"length":-1}',
    '{"a":1,"a":2}',
    '{"a":1,"\\u0061":2}',
  ],
  ...[
    '"\\ud800"',
    '"\\u0000"',
    '"\\u001b[2J"',
    '"\\u202e"',
    'NaN',
    'Infinity',
    '01',
    '+1',
    '.5',
    '1.',
    "'a'",
    '{a:1}',
    '[1,]',
    '/**/1',
    '',
  ],
];

/** Characters that a repeated part may come to. */
const MOST_REPEATED = 200_000;

type Tree = { readonly raw: string } | { readonly kind: 'list' | 'object'; readonly children: Branch[] };
interface Branch {
  /** As written, quotes included; unused in a list. */
  key: string;
  tree: Tree;
}

const raw: Arbitrary<string> = fc.oneof(
  fc.constantFrom(...oddJson),
  fc
    .oneof(text, fc.double(), fc.integer(), fc.jsonValue({ maxDepth: 2 }) as Arbitrary<unknown>)
    .map((value) => JSON.stringify(value) ?? 'null'),
);
const change = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('replace' as const), raw }) },
  fc.record({ kind: fc.constantFrom('remove' as const, 'twice' as const, 'swap' as const, 'escape' as const) }),
  fc.record({ kind: fc.constant('rename' as const), name: text }),
  fc.record({ kind: fc.constant('add' as const), name: text, raw }),
  fc.record({ kind: fc.constant('nest' as const), open: fc.constantFrom('[', '{"a":'), times: lengths(6000) }),
  fc.record({ kind: fc.constant('repeat' as const), times: lengths(2000) }),
);
/** `path`: which child to go to, level by level from the root. */
const edit = fc.record({ path: fc.array(fc.nat(1000), { maxLength: 6 }), change });
type Edit = typeof edit extends Arbitrary<infer T> ? T : never;

/** A few edits, to be applied by `editJson`; seldom none. */
export const edits: Arbitrary<readonly Edit[]> = fc.oneof(
  { weight: 1, arbitrary: fc.constant([]) },
  { weight: 6, arbitrary: fc.array(edit, { minLength: 1, maxLength: 3 }) },
);

/** The text of a document with edits. */
export function editJson(document: unknown, changes: readonly Edit[], indent = ''): string {
  const root: Branch = { key: '', tree: treeOf(document) };
  for (const { path, change } of changes) apply(root, path, change);
  return write(root.tree, indent === '' ? '' : '\n', indent);
}

function treeOf(value: unknown): Tree {
  if (typeof value !== 'object' || value === null) return { raw: JSON.stringify(value) ?? 'null' };
  const children = Object.entries(value).map(([key, child]) => ({ key: JSON.stringify(key), tree: treeOf(child) }));
  return { kind: Array.isArray(value) ? 'list' : 'object', children };
}

function apply(root: Branch, path: readonly number[], change: Edit['change']): void {
  let [branch, siblings] = [root, [root]];
  for (const step of path) {
    const children = 'children' in branch.tree ? branch.tree.children : [];
    const next = children[step % children.length];
    if (!next) break;
    [branch, siblings] = [next, children];
  }
  const { tree } = branch;
  switch (change.kind) {
    case 'replace':
      branch.tree = { raw: change.raw };
      break;
    case 'rename':
      branch.key = JSON.stringify(change.name);
      break;
    case 'escape':
      // The same key in another spelling.
      branch.key = branch.key.replace(/[a-z]/, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`);
      break;
    case 'twice':
      siblings.push(structuredClone(branch));
      break;
    case 'remove':
      if (branch !== root) siblings.splice(siblings.indexOf(branch), 1);
      break;
    case 'swap':
      siblings.unshift(...siblings.splice(siblings.indexOf(branch), 1));
      break;
    case 'add':
      if ('children' in tree) tree.children.push({ key: JSON.stringify(change.name), tree: { raw: change.raw } });
      break;
    case 'nest': {
      const close = change.open === '[' ? ']' : '}';
      branch.tree = { raw: change.open.repeat(change.times) + write(tree, '', '') + close.repeat(change.times) };
      break;
    }
    case 'repeat': {
      const times = Math.min(change.times, Math.ceil(MOST_REPEATED / (1 + write(tree, '', '').length)));
      if ('raw' in tree) branch.tree = { raw: tree.raw.replace(/^"(.*)"$/s, (_, inner) => `"${inner.repeat(times)}"`) };
      else if (tree.kind === 'list') tree.children.push(...Array.from({ length: times }, () => tree.children).flat());
    }
  }
}

function write(tree: Tree, newline: string, indent: string): string {
  if ('raw' in tree) return tree.raw;
  const inner = newline === '' ? '' : newline + indent;
  const parts = tree.children.map(
    ({ key, tree: child }) => `${inner}${tree.kind === 'list' ? '' : `${key}:`}${write(child, inner, indent)}`,
  );
  const text = `${parts.join(',')}${newline}`;
  return tree.kind === 'list' ? `[${text}]` : `{${text}}`;
}
