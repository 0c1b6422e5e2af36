// Step ends found again in another tokenizer: the same as those of the sampled tokens where the tokenizers agree.
import { describe, expect, test } from 'vitest';
import { splitSteps } from '../../../src/reward/steps.js';
import { encodeSteps } from '../../../src/text/encoded-steps.js';
import { loadTokenizerJson } from '../../../src/text/tokenizer-json.js';
import { byteLevelDocument, fileOf } from '../../fakes/tokenizer-json.js';

/** Cuts a text into pieces of these lengths, then into single characters. */
const pieces = (...lengths: readonly number[]) => ({
  encode(text: string): Int32Array {
    const ids: number[] = [];
    for (let from = 0; from < text.length; from += lengths[ids.length - 1] ?? 1) ids.push(from);
    return Int32Array.from(ids);
  },
  decode(tokens: ArrayLike<number>) {
    const text = 'ab\ncd\ne';
    return { text, ends: Uint32Array.from(tokens, (_, i) => tokens[i + 1] ?? text.length) };
  },
});
const text = 'ab\ncd\ne';
const ends = [3, 6, 7];

describe('the steps of a text in the tokens of a model', () => {
  test('end with the token of their last character, the last one with the stop token', () => {
    expect(encodeSteps(pieces(), text, ends, 99)).toEqual({
      tokens: Int32Array.of(0, 1, 2, 3, 4, 5, 6, 99),
      ends: Uint32Array.of(3, 6, 8),
    });
    expect([...encodeSteps(pieces(), text, ends, undefined).ends]).toEqual([3, 6, 7]);
  });

  test('end before a token that holds the start of the next step too', () => {
    // "ab", "\nc", "d", "\n", "e"
    expect([...encodeSteps(pieces(2, 2), text, ends, 99).ends]).toEqual([1, 4, 6]);
  });

  test('end where the next step does when they have no token of their own', () => {
    // "ab\n", "cd\ne"
    expect([...encodeSteps(pieces(3, 4), text, ends, 99).ends]).toEqual([1, 3, 3]);
    expect([...encodeSteps(pieces(7), text, ends, undefined).ends]).toEqual([1, 1, 1]);
  });

  test.each(['ab\ncd\ne', 'one step', '\n\n a b\n\nc', 'é – 漢字\n🙂 x\n', ''])(
    'are those of the sampled tokens where these are the ones of the text: %j',
    (given) => {
      const tokenizer = loadTokenizerJson(
        fileOf(byteLevelDocument({ merges: [], added: ['<end>'] })),
        new Map(),
        'tokenizer.json',
      );
      const stop = tokenizer.idOf('<end>') as number;
      const tokens = Int32Array.from([...tokenizer.encode(given), stop]);
      const decoded = tokenizer.decode(tokens);
      const steps = splitSteps({ ...decoded, tokens });
      const again = encodeSteps(
        tokenizer,
        given,
        steps.map(({ textEnd }) => textEnd),
        stop,
      );
      expect(again.tokens).toEqual(tokens);
      expect([...again.ends]).toEqual(steps.map(({ tokenEnd }) => tokenEnd));
    },
  );

  test('are found in a text that the tokenizer composes', () => {
    const composing = {
      encode: (given: string) => Int32Array.from(given.normalize('NFC'), (sign) => sign.codePointAt(0) as number),
      decode: (tokens: ArrayLike<number>) => ({
        text: String.fromCodePoint(...Array.from(tokens)),
        ends: Uint32Array.from(tokens, (_, i) => i + 1),
      }),
    };
    const spelt = 'e\u0301e\u0301\nb';
    expect([...encodeSteps(composing, spelt, [5, 6], 7).ends]).toEqual([3, 5]);
  });
});
