// Split patterns of a tokenizer.json: regular expressions from a grammar, well-formed or not. One that is taken splits any text in
// time that its length explains, and loses nothing of it.
import { join } from 'node:path';
import fc from 'fast-check';
import { loadTokenizerJson } from '../../../src/text/tokenizer-json.js';
import { byteLevelDocument, fileOf, LLAMA3_SPLIT } from '../../fakes/tokenizer-json.js';
import { lengths, text } from '../inputs.js';
import { accepted, target } from '../target.js';
import { checkTokenizer } from './tokenizing.js';

const atoms = [
  ...[
    'a',
    'b',
    ' ',
    '~',
    '.',
    '\\s',
    '\\S',
    '\\d',
    '\\D',
    '\\n',
    '\\r\\n',
    '\\p{L}',
    '\\P{L}',
    '\\p{N}',
    '\\p{Lu}',
    '\\.',
    '\\/',
    '-',
    "'s",
  ],
  ...[
    '[a-z]',
    '[^a]',
    '[A-Za-z ]',
    '[\\s\\p{L}]',
    '[^\\s\\p{L}\\p{N}]',
    '[\\r\\n]',
    '[a&&b]',
    '[[:alpha:]]',
    '[]',
    '[^]',
    '[z-a]',
    '[a-\\d]',
  ],
  ...[
    '^',
    '$',
    '\\b',
    '\\A',
    '\\1',
    '\\x61',
    '\\u{61}',
    '\\h',
    '\\w',
    '\\K',
    '\\',
    '(?i:',
    '(?<x>a)',
    '(?#c)',
    '(?s)',
    '\u{1f600}',
    '\u017f',
  ],
];
const quantifiers = [
  '',
  '',
  '',
  '+',
  '*',
  '?',
  '{2}',
  '{1,3}',
  '{2,}',
  '{1000}',
  '{99999}',
  '{3,1}',
  '++',
  '*+',
  '*?',
  '+?',
  '{,2}',
];

const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc
    .array(
      fc
        .tuple(
          fc.oneof(
            { maxDepth: 4 },
            fc.constantFrom(...atoms),
            fc
              .tuple(fc.constantFrom('(', '(?:', '(?=', '(?!', '(?i:', '(?<=', '(?>'), tie('expression'))
              .map(([open, inner]) => `${open}${inner})`),
          ),
          fc.constantFrom(...quantifiers),
        )
        .map((parts) => parts.join('')),
      { minLength: 1, maxLength: 4 },
    )
    .chain((parts) => fc.constantFrom('', '|').map((between) => parts.join(between))),
}));
/** Published patterns with pieces left out, put in or given twice. */
const varied = fc
  .tuple(
    fc.constantFrom(LLAMA3_SPLIT, "'s|'t|'re| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"),
    fc.nat(200),
    fc.nat(6),
    fc.constantFrom('', ...atoms, ...quantifiers),
  )
  .map(([pattern, at, length, put]) => pattern.slice(0, at) + put + pattern.slice(at + length));
/** Repeats inside repeats and beside one another: what an engine that tries all ways never ends with. */
const ambiguous = fc
  .tuple(
    fc.constantFrom('a', '[A-Za-z ]', '\\p{L}', '\\s', '[^~]', '.', 'a|a', 'a|ab|b', 'a?'),
    fc.constantFrom('+', '*', '{1,9}', '?', '{2,}', ''),
    fc.constantFrom('+', '*', '{3}', '{1,200}', '?'),
    fc.nat(3),
    fc.constantFrom('~', '', '!', '$', '(?!a)'),
  )
  .map(([atom, inner, outer, again, end]) => `(?:(${atom})${inner})${outer}`.repeat(again + 1) + end);
const pattern = fc.oneof(
  { weight: 2, arbitrary: ambiguous },
  { weight: 4, arbitrary: expression },
  { weight: 3, arbitrary: varied },
  text,
);
/** A text that an expression with nested repeats takes long to give up on. */
const pumped = fc
  .tuple(
    fc.constantFrom('a', 'ab', 'a ', ' ', '1', '\n', 'aA', '\u00e9'),
    lengths(4000),
    fc.constantFrom('', '~', '!', 'b', '\n'),
  )
  .map(([unit, times, end]) => unit.repeat(times) + end);

const document = byteLevelDocument({ merges: [], added: [] });

export const splitPattern = target({
  name: 'split-pattern',
  cases: 1000,
  input: fc.record({ pattern, texts: fc.array(fc.oneof(pumped, text), { minLength: 1, maxLength: 3 }) }),
  async check({ pattern, texts }, folder) {
    const file = join(folder, 'tokenizer.json');
    const pre_tokenizer = {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    };
    const tokenizer = await accepted(file, () =>
      loadTokenizerJson(fileOf({ ...document, pre_tokenizer }), new Map(), file),
    );
    if (tokenizer) checkTokenizer(tokenizer, texts, [], (given) => given);
  },
});
