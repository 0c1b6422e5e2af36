// Small tokenizer.json files for tests: byte-level pieces as Llama 3 has them, and text pieces with bytes beside as Phi
// 3.
import { BYTE_CHARACTERS, toByteCharacters } from '../../src/text/byte-alphabet.js';

export const LLAMA3_SPLIT =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

const space = '\u2581';

interface Added {
  readonly content: string;
  readonly special?: boolean;
  readonly lstrip?: boolean;
  readonly rstrip?: boolean;
  readonly normalized?: boolean;
}

/** Ids from `first` on, in order. */
export function addedTokens(first: number, tokens: readonly (string | Added)[]): Record<string, unknown>[] {
  return tokens.map((token, index) => ({
    id: first + index,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
    ...(typeof token === 'string' ? { content: token } : token),
  }));
}

/** `merges` as pairs of text, earlier first; what each makes joins the vocabulary. */
export interface FakeTokenizer {
  readonly merges: readonly (readonly [string, string])[];
  readonly added: readonly (string | Added)[];
}

/** Byte-level: bytes have the ids 0 to 255, merges follow, then the added tokens. */
export function byteLevelDocument({ merges, added }: FakeTokenizer): Record<string, unknown> {
  const vocab: Record<string, number> = {};
  for (const character of BYTE_CHARACTERS) vocab[character] = Object.keys(vocab).length;
  const spelt = merges.map(([left, right]) => [toByteCharacters(left), toByteCharacters(right)] as const);
  for (const [left, right] of spelt) vocab[left + right] ??= Object.keys(vocab).length;
  return {
    version: '1.0',
    added_tokens: addedTokens(Object.keys(vocab).length, added),
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: LLAMA3_SPLIT }, behavior: 'Isolated', invert: false },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      byte_fallback: false,
      ignore_merges: true,
      vocab,
      merges: spelt.map((pair) => pair.join(' ')),
    },
  };
}

/** Text pieces: <unk>, <s>, </s>, then the 256 bytes, single characters, merges and the added tokens. */
export function textPiecesDocument({ merges, added }: FakeTokenizer, characters: string): Record<string, unknown> {
  const vocab: Record<string, number> = { '<unk>': 0, '<s>': 1, '</s>': 2 };
  for (let byte = 0; byte < 256; byte++) vocab[`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`] = 3 + byte;
  for (const character of space + characters) vocab[character] ??= Object.keys(vocab).length;
  const spelt = merges.map(([left, right]) => [left.replaceAll(' ', space), right.replaceAll(' ', space)] as const);
  for (const [left, right] of spelt) vocab[left + right] ??= Object.keys(vocab).length;
  const first = Object.keys(vocab).length;
  return {
    version: '1.0',
    added_tokens: [...addedTokens(0, ['<unk>', '<s>', '</s>']), ...addedTokens(first, added)],
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: space },
        { type: 'Replace', pattern: { String: ' ' }, content: space },
      ],
    },
    pre_tokenizer: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: space }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    model: {
      type: 'BPE',
      byte_fallback: true,
      ignore_merges: false,
      vocab,
      merges: spelt.map((pair) => pair.join(' ')),
    },
  };
}

export const fileOf = (document: unknown): Uint8Array => Buffer.from(JSON.stringify(document));
