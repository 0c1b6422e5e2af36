// What must hold for any tokenizer that could be read, whatever its file says.
import type { Tokenizer } from '../../../src/text/tokenizer.js';
import { hold, holdEqual } from '../target.js';

/**
 * Texts become ids that the tokenizer has and come back; any ids become text.
 * @param wanted what a text comes back as; undefined where the file leaves that open
 */
export function checkTokenizer(
  tokenizer: Tokenizer,
  texts: readonly string[],
  ids: readonly number[],
  wanted?: (text: string) => string,
): void {
  for (const text of texts) {
    const tokens = tokenizer.encode(text);
    hold(
      tokens.every((token) => token >= 0 && token < tokenizer.size),
      'ids are below the size',
      [...tokens],
    );
    const decoded = checkDecoded(tokenizer, tokens);
    if (wanted) holdEqual(plain(decoded), plain(wanted(text.toWellFormed())), 'a text comes back');
    checkDecoded(tokenizer, tokenizer.encode(text, { specials: true }));
    tokenizer.idOf(text);
  }
  checkDecoded(tokenizer, ids);
}

/** The sign that pieces have for a space is one in decoded text where it is a piece, and itself where it is bytes. */
const plain = (text: string): string => text.replaceAll('\u2581', ' ');

function checkDecoded(tokenizer: Tokenizer, tokens: ArrayLike<number>): string {
  const { text, ends } = tokenizer.decode(tokens);
  holdEqual(ends.length, tokens.length, 'every token has an end');
  let before = 0;
  for (const end of ends) {
    hold(end >= before, 'ends do not go back', end);
    before = end;
  }
  hold(tokens.length === 0 || before === text.length, 'the last token ends where the text ends', before);
  return text;
}
