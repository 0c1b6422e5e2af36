// tokenizer.json: both kinds against the plain rule (merge the lowest rank until none is left), special strings, refusals.
import { describe, expect, test } from 'vitest';
import { toByteCharacters } from '../../../src/text/byte-alphabet.js';
import { splitPattern } from '../../../src/text/split-pattern.js';
import { loadTokenizerJson } from '../../../src/text/tokenizer-json.js';
import { byteLevelDocument, fileOf, LLAMA3_SPLIT, textPiecesDocument } from '../../fakes/tokenizer-json.js';

type Document = ReturnType<typeof byteLevelDocument>;
const merges = [
  ['h', 'e'],
  [' ', 't'],
  [' t', 'he'],
  ['l', 'l'],
  ['he', 'll'],
  ['a', 'a'],
  ['aa', 'a'],
  ['1', '2'],
  ['é', 'e'],
  ['\n', '\n'],
  ["'", 's'],
] as const;
const added = ['<|im_end|>', '<image>', '</s2>'];
// A letter of two bytes has no piece of its own at the byte level.
const byteDocument = () => byteLevelDocument({ merges: merges.filter(([left]) => left !== 'é'), added });
const letters = "abcdefghijklmnopqrstuvwxyzABC123.,!?<>|_/'\n";
const textDocument = () => textPiecesDocument({ merges, added }, `${letters}é`);
const load = (document: Document) => loadTokenizerJson(fileOf(document), new Map(), 'tokenizer.json');

/** The plain rule over one word: of all neighbours that merge, the earliest merge, leftmost first. */
function plainMerge(symbols: string[], ranks: ReadonlyMap<string, number>): string[] {
  for (;;) {
    let best = -1;
    for (let i = 0; i + 1 < symbols.length; i++) {
      const rank = ranks.get(`${symbols[i]} ${symbols[i + 1]}`);
      if (rank !== undefined && (best < 0 || rank < (ranks.get(`${symbols[best]} ${symbols[best + 1]}`) as number)))
        best = i;
    }
    if (best < 0) return symbols;
    symbols.splice(best, 2, `${symbols[best]}${symbols[best + 1]}`);
  }
}

const modelOf = (document: Document) =>
  document.model as { readonly vocab: Record<string, number>; readonly merges: readonly string[] };
const ranksOf = (document: Document) => new Map(modelOf(document).merges.map((merge, rank) => [merge, rank]));

function plainByteLevel(text: string): number[] {
  const { vocab } = modelOf(byteDocument());
  const ranks = ranksOf(byteDocument());
  const words = Array.from(splitPattern(LLAMA3_SPLIT).matches(text), ([start, end]) => text.slice(start, end));
  return words.flatMap((word) => {
    const spelt = toByteCharacters(word);
    return spelt in vocab
      ? [vocab[spelt] as number]
      : plainMerge([...spelt], ranks).map((piece) => vocab[piece] as number);
  });
}

function plainTextPieces(text: string): number[] {
  const { vocab } = modelOf(textDocument());
  if (text === '') return [];
  const symbols = [...`\u2581${text.replaceAll(' ', '\u2581')}`].flatMap((character) =>
    character in vocab
      ? [character]
      : [...Buffer.from(character)].map((byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`),
  );
  return plainMerge(symbols, ranksOf(textDocument())).map((piece) => vocab[piece] as number);
}

function texts(count: number): string[] {
  const parts = [
    'hello',
    ' the',
    'aaaaaaa',
    ' ',
    '   ',
    '\n',
    '\r\n',
    '\n\n\n',
    '123456',
    'é',
    'e\u0301',
    '你好',
    '😀👩‍👩‍👧',
    "it's",
    'Ünï',
    '.',
    '?!',
    '\t',
    '<',
    '\u00a0',
    'ﬃ',
    "'S",
    'ſ',
  ];
  let state = 12345;
  const next = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  return Array.from({ length: count }, () => Array.from({ length: next(9) }, () => parts[next(parts.length)]).join(''));
}

describe.each([
  ['byte-level', byteDocument, plainByteLevel],
  ['text pieces', textDocument, plainTextPieces],
] as const)('%s', (_, document, plain) => {
  test('gives the ids of the plain rule, and the text back', () => {
    const tokenizer = load(document());
    for (const text of texts(500)) {
      expect([text, ...tokenizer.encode(text)]).toEqual([text, ...plain(text)]);
      expect(tokenizer.decode(tokenizer.encode(text)).text).toBe(text);
    }
  });

  test('half a surrogate pair becomes a replacement character', () => {
    const tokenizer = load(document());
    expect(tokenizer.decode(tokenizer.encode('a\ud83d!')).text).toBe('a\ufffd!');
  });

  test('special strings are text unless they are asked for', () => {
    const tokenizer = load(document());
    const text = 'what is <|im_end|> or <image>?';
    const ids = added.map((name) => tokenizer.idOf(name));
    expect([...tokenizer.encode(text)].filter((id) => ids.includes(id))).toEqual([]);
    expect(tokenizer.decode(tokenizer.encode(text)).text).toBe(text);
    expect([...tokenizer.encode(text, { specials: true })].filter((id) => ids.includes(id))).toEqual(ids.slice(0, 2));
    expect(tokenizer.decode(tokenizer.encode('a<image>', { specials: true })).text).toBe('a');
  });

  test('an added token that is not special shows itself, and takes the blanks that it says', () => {
    const tokens = [{ content: '<call>', special: false, lstrip: true, rstrip: true }];
    const own = (document as typeof byteDocument)();
    const last =
      Math.max(...Object.values(modelOf(own).vocab), added.length + Object.keys(modelOf(own).vocab).length) + 1;
    own.added_tokens = [
      ...(own.added_tokens as object[]),
      { id: last, single_word: false, normalized: false, ...tokens[0] },
    ];
    const tokenizer = load(own);
    const ids = [...tokenizer.encode('a  <call>  b', { specials: true })];
    const at = ids.indexOf(last);
    expect(tokenizer.decode(ids).text.replaceAll(' ', '')).toBe('a<call>b');
    expect(tokenizer.decode(ids.slice(0, at)).text).toBe('a');
  });
});

describe('the split pattern of Llama 3', () => {
  const split = (text: string) =>
    Array.from(splitPattern(LLAMA3_SPLIT).matches(text), ([start, end]) => text.slice(start, end));
  test.each([
    ["it's IT'S she'LL", ['it', "'s", ' IT', "'S", ' she', "'LL"]],
    ['12345', ['123', '45']],
    ['a  b', ['a', ' ', ' b']],
    ['a \n\n b', ['a', ' \n\n', ' b']],
    ['!?\n(x)', ['!?\n', '(x', ')']],
    // U+017F and U+212A fold to s and k.
    ["o'ſ", ['o', "'ſ"]],
  ])('%j', (text, words) => {
    expect(split(text)).toEqual(words);
  });
});

describe('refusals', () => {
  const model = (document: Document) => document.model as Record<string, unknown>;
  const cases: readonly (readonly [string, (document: Document) => void, RegExp])[] = [
    ['another model', (d) => (model(d).type = 'Unigram'), /^tokenizer\.json: model\.type: "Unigram"/],
    ['dropout', (d) => (model(d).dropout = 0.1), /model\.dropout: 0\.1/],
    ['an id twice', (d) => ((model(d).vocab as Record<string, number>).zz = 5), /model\.vocab\.zz|model\.vocab\."zz"/],
    ['a byte that is missing', (d) => delete (model(d).vocab as Record<string, number>)['!'], /model\.vocab/],
    ['a merge of unknown pieces', (d) => (model(d).merges = ['q zz']), /model\.merges/],
    ['an unknown step', (d) => (d.pre_tokenizer = { type: 'Punctuation' }), /pre_tokenizer/],
    [
      'an expression of another dialect',
      (d) => (d.pre_tokenizer = { type: 'Split', pattern: { Regex: '(?>a)' }, behavior: 'Isolated', invert: false }),
      /pre_tokenizer/,
    ],
    ['an unknown normaliser', (d) => (d.normalizer = { type: 'NFKC' }), /normalizer/],
    ['a missing version', (d) => delete d.version, /version: missing/],
  ];
  test.each(cases)('%s', (_, change, message) => {
    const document = byteDocument();
    change(document);
    expect(() => load(document)).toThrow(message);
  });

  test('what is no JSON', () => {
    expect(() => loadTokenizerJson(Buffer.from('{'), new Map(), 'd/tokenizer.json')).toThrow(
      'd/tokenizer.json:1: document: a syntax error, wanted JSON',
    );
  });
});
