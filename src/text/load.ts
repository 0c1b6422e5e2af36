// The tokenizer of a model folder, by the name of its file.
import { UserError } from '../core/errors.js';
import { loadSentencePiece } from './sentencepiece.js';
import type { SpecialTokens } from './special-tokens.js';
import type { Tokenizer } from './tokenizer.js';
import { loadTokenizerJson } from './tokenizer-json.js';

/** Reads the `bytes` of the tokenizer file called `name`; `file` is its path in messages. Throws UserError. */
export function loadTokenizer(name: string, bytes: Uint8Array, specials: SpecialTokens, file: string): Tokenizer {
  if (name === 'tokenizer.model') return loadSentencePiece(bytes, specials, file);
  if (name === 'tokenizer.json') return loadTokenizerJson(bytes, specials, file);
  throw new UserError(`${file}: file: ${name}, wanted tokenizer.model or tokenizer.json`);
}
