// The file format of tokenizer.json (Hugging Face tokenizers): the byte-pair models that are supported, checked.
// Post-processor, padding and truncation are the prompt's business.
import { z } from 'zod';
import { UserError } from '../core/errors.js';
import { parseJson } from '../core/json.js';
import { shown } from '../core/printable.js';
import { checked } from '../core/schema.js';

import { BYTE_CHARACTERS } from './byte-alphabet.js';
import { ID_LIMIT, MergeList, type PairModel } from './pair-merges.js';
import type { SpecialTokens } from './special-tokens.js';
import { type Normalise, normalizerSchema, oneOf, preTokenizerSchema, type WordStep } from './text-steps.js';
import { SPACE } from './tokenizer.js';

export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Swallows the white space before it, or after it. */
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  /** Looked for in normalised text, by its own normalised content. */
  readonly normalized: boolean;
  /** Hidden in decoded text. */
  readonly special: boolean;
}

export interface TokenizerJson {
  readonly model: PairModel;
  readonly normalise: Normalise;
  /** How normalised text becomes words. */
  readonly steps: readonly WordStep[];
  /** Those that only other files name included. */
  readonly added: readonly AddedToken[];
  /** Pieces are spelt in byte characters. Otherwise they are text with byte pieces beside. */
  readonly byteLevel: boolean;
  /** Of the other kind: whether one space at the start of decoded text is taken away. */
  readonly stripsFirstSpace: boolean;
}

const id = z
  .int()
  .min(0)
  .max(ID_LIMIT - 1);
const none = z.literal([null, '']).optional();
const sentencePieceDecoders = z.tuple([
  z.object({ type: z.literal('Replace'), pattern: z.object({ String: z.literal(SPACE) }), content: z.literal(' ') }),
  z.object({ type: z.literal('ByteFallback') }),
  z.object({ type: z.literal('Fuse') }),
  z
    .object({ type: z.literal('Strip'), content: z.literal(' '), start: z.literal([0, 1]), stop: z.literal(0) })
    .optional(),
]);
const schema = z.object({
  version: z.literal('1.0'),
  added_tokens: z
    .array(
      z.object({
        id,
        content: z.string().min(1).max(1024),
        single_word: z.literal(false),
        lstrip: z.boolean(),
        rstrip: z.boolean(),
        normalized: z.boolean(),
        special: z.boolean(),
      }),
    )
    .default([]),
  normalizer: normalizerSchema,
  pre_tokenizer: preTokenizerSchema,
  decoder: z.discriminatedUnion(
    'type',
    [
      z.object({ type: z.literal('ByteLevel') }),
      z.object({ type: z.literal('Sequence'), decoders: sentencePieceDecoders }),
    ],
    oneOf('ByteLevel or Sequence'),
  ),
  model: z.object({
    type: z.literal('BPE'),
    dropout: z.literal([null, 0]).optional(),
    continuing_subword_prefix: none,
    end_of_word_suffix: none,
    byte_fallback: z.boolean().default(false),
    ignore_merges: z.boolean().default(false),
    // Checked by hand: a hundred thousand entries, any string among their keys.
    vocab: z.custom<Record<string, unknown>>(
      (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
      'ids by piece',
    ),
    merges: z.array(z.unknown()),
  }),
});

/** Throws UserError when the file is damaged, asks for what is not supported, or contradicts `specials`. */
export function parseTokenizerJson(bytes: Uint8Array, specials: SpecialTokens, file: string): TokenizerJson {
  const document = checked(schema, parseJson(bytes, file), file);
  const { model, decoder, pre_tokenizer: steps } = document;
  const byteLevel = steps.some((step) => step.type === 'ByteLevel');
  if (byteLevel !== (decoder.type === 'ByteLevel')) {
    const wanted = byteLevel ? 'ByteLevel, as in pre_tokenizer' : 'Sequence, without ByteLevel in pre_tokenizer';
    throw new UserError(`${file}: decoder.type: ${decoder.type}, wanted ${wanted}`);
  }
  if (!byteLevel && !model.byte_fallback) {
    throw new UserError(`${file}: model.byte_fallback: false, wanted true without ByteLevel in pre_tokenizer`);
  }
  const vocabulary = readVocabulary(model.vocab, file);
  // With every byte in the vocabulary no text is unknown: unk_token and fuse_unk have nothing to do.
  const byteIds = BYTE_CHARACTERS.map((character, byte) => {
    const piece = byteLevel ? character : `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
    const found = vocabulary.get(piece);
    if (found === undefined) throw new UserError(`${file}: model.vocab: no ${piece}, wanted a piece for every byte`);
    return found;
  });
  const strip = decoder.type === 'Sequence' ? decoder.decoders[3] : undefined;
  // Of added tokens that the file itself does not have nothing is known of their white space.
  const own = new Set(document.added_tokens.map(({ id, content }) => `${id} ${content}`));
  const elsewhere = [...specials]
    .filter(([content, { id }]) => !own.has(`${id} ${content}`))
    .map(([content, { id, hidden: special }]) => ({
      id,
      content,
      ...{ lstrip: false, rstrip: false, normalized: false, special },
    }));
  const added = [...document.added_tokens, ...elsewhere];
  checkAdded(added, vocabulary, file);
  return {
    model: {
      vocabulary,
      merges: readMerges(model.merges, vocabulary, file),
      ignoreMerges: model.ignore_merges,
      byteIds,
    },
    normalise: document.normalizer,
    steps,
    added,
    byteLevel,
    stripsFirstSpace: strip?.start === 1,
  };
}

function readVocabulary(entries: Readonly<Record<string, unknown>>, file: string): Map<string, number> {
  const vocabulary = new Map<string, number>();
  const taken = new Set<number>();
  for (const [piece, value] of Object.entries(entries)) {
    const read = id.safeParse(value);
    if (!read.success || taken.has(read.data)) {
      const wanted = read.success ? 'an id of its own' : `an id below ${ID_LIMIT}`;
      throw new UserError(`${file}: model.vocab.${shown(piece)}: ${shown(value)}, wanted ${wanted}`);
    }
    taken.add(read.data);
    vocabulary.set(piece, read.data);
  }
  return vocabulary;
}

/** Pairs are `"a b"` in older files and `["a", "b"]` in newer ones. */
function readMerges(pairs: readonly unknown[], vocabulary: ReadonlyMap<string, number>, file: string): MergeList {
  const merges = new MergeList();
  for (const [index, pair] of pairs.entries()) {
    // Lines of the text files that merges once came from; the reference passes over them.
    if (typeof pair === 'string' && pair.startsWith('#version')) continue;
    const parts: readonly unknown[] = typeof pair === 'string' ? pair.split(' ') : Array.isArray(pair) ? pair : [];
    const [left, right] = parts;
    const ids = [left, right, `${left}${right}`].map((piece) => vocabulary.get(piece as string));
    if (parts.length !== 2 || ids.includes(undefined)) {
      throw new UserError(`${file}: model.merges.${index}: ${shown(pair)}, wanted two pieces that make a third`);
    }
    merges.add(...(ids as [number, number, number]));
  }
  return merges;
}

/** An added token and a piece of the vocabulary share an id when, and only when, they share their text. */
function checkAdded(added: readonly AddedToken[], vocabulary: ReadonlyMap<string, number>, file: string): void {
  const texts = new Map([...vocabulary].map(([piece, id]) => [id, piece]));
  const ids = new Map(vocabulary);
  for (const [index, { id, content }] of added.entries()) {
    if ((texts.get(id) ?? content) !== content || (ids.get(content) ?? id) !== id) {
      const found = `${shown(content)} with id ${id}`;
      throw new UserError(`${file}: added_tokens.${index}: ${found}, wanted one id for it and one text for the id`);
    }
    texts.set(id, content);
    ids.set(content, id);
  }
}
