// tokenizer.json: documents of both kinds with edits; texts come back from those that are read.
import { join } from 'node:path';
import fc from 'fast-check';
import { loadTokenizerJson } from '../../../src/text/tokenizer-json.js';
import { parseTokenizerJson } from '../../../src/text/tokenizer-json-file.js';
import { byteLevelDocument, textPiecesDocument } from '../../fakes/tokenizer-json.js';
import { byteEdits, editBytes, editJson, edits, text, word } from '../inputs.js';
import { accepted, holdEqual, target } from '../target.js';
import { checkTokenizer } from './tokenizing.js';

const letters = fc.string({ unit: fc.constantFrom(...'abc'), minLength: 1, maxLength: 2 });
/** Merges of pieces that are there: each of single letters or of what an earlier one made. */
const merges = fc.array(fc.tuple(fc.nat(20), fc.nat(20)), { maxLength: 8 }).map((pairs) => {
  const pieces = ['a', 'b', 'c', ' '];
  return pairs.map(([left, right]): [string, string] => {
    const pair: [string, string] = [pieces[left % pieces.length] as string, pieces[right % pieces.length] as string];
    pieces.push(pair.join(''));
    return pair;
  });
});
const flag = fc.boolean();
const added = fc.uniqueArray(
  fc.record({
    content: fc.oneof(
      word.map((found) => `<|${found}|>`),
      letters.map((found) => `<${found}>`),
    ),
    special: flag,
    lstrip: flag,
    rstrip: flag,
    normalized: flag,
  }),
  { selector: ({ content }) => content, maxLength: 3 },
);
const kind = fc.constantFrom('byteLevel' as const, 'textPieces' as const);
const document = fc.tuple(kind, fc.record({ merges, added })).map(([kind, given]) => ({
  kind,
  value: kind === 'byteLevel' ? byteLevelDocument(given) : textPiecesDocument(given, 'abc'),
}));

/** Steps of normalisation and splitting by themselves, which edits of a valid document seldom meet. */
const replacement = fc.record({ type: fc.constant('Replace'), pattern: fc.record({ String: text }), content: text });
const prepend = fc.record({ type: fc.constant('Prepend'), prepend: text });
const normalizer = fc.record({
  type: fc.constant('Sequence'),
  normalizers: fc.array(fc.oneof(replacement, prepend), { maxLength: 30 }),
});
const metaspace = fc.record({
  type: fc.constant('Metaspace'),
  replacement: text,
  prepend_scheme: fc.constantFrom('always', 'never', 'first'),
  split: flag,
});
const change = fc.oneof(
  { weight: 4, arbitrary: fc.constant({}) },
  fc.record({ normalizer }),
  fc.record({ pre_tokenizer: metaspace }),
);

interface Input {
  readonly bytes: Uint8Array;
  readonly texts: readonly string[];
  readonly ids: readonly number[];
  /** Nothing was changed. */
  readonly whole: boolean;
}

export const tokenizerJson = target<Input>({
  name: 'tokenizer-json',
  cases: 1000,
  input: fc
    .tuple(
      document,
      change,
      edits,
      byteEdits(2),
      fc.array(fc.oneof(text, letters), { maxLength: 3 }),
      fc.array(fc.integer({ min: -5, max: 400 }), { maxLength: 8 }),
    )
    .map(([{ value }, changed, changes, bytes, texts, ids]) => ({
      bytes: editBytes(Buffer.from(editJson({ ...value, ...changed }, changes)), bytes),
      texts,
      ids,
      whole: changes.length + bytes.length + Object.keys(changed).length === 0,
    })),
  async check({ bytes, texts, ids, whole }, folder) {
    const file = join(folder, 'tokenizer.json');
    const read = await accepted(file, () => parseTokenizerJson(bytes, new Map(), file));
    const tokenizer = await accepted(file, () => loadTokenizerJson(bytes, new Map(), file));
    holdEqual(read !== undefined, tokenizer !== undefined, 'a file that can be read can be used');
    if (whole) holdEqual(read !== undefined, true, 'a valid file is read');
    if (!tokenizer || !read) return;
    checkTokenizer(tokenizer, texts, ids, whole ? (given) => given : undefined);
  },
});
