// Cuts a response into reasoning steps over both its text and its tokens (P7-P9).
import type { Response, StepSpan } from '../core/types.js';

/**
 * Cuts a response into steps. Every token belongs to exactly one step, in order; the last step holds the stop token;
 * the step-end token of a step is `tokenEnd - 1`.
 *
 * A step starts after a delimiter, unless what follows up to the next delimiter is blank: blank lines belong to the step
 * before them (leading ones to the first step). A token belongs to the step of its last character, so a token that holds
 * the end of a line and the start of the next one belongs to the next; a token without text stays with the text before it.
 * Steps that lie wholly inside one token become one.
 * @param response text, tokens and the text end of each token (UTF-16, exclusive)
 * @param delimiter the paper does not name its own. A line break is chosen: the warm-up answers put one step on each line, and a
 * tokenizer gives a line break a token of its own in most places, so that a step end falls between tokens
 * @returns at least one step; none where there is no token
 */
export function splitSteps(response: Pick<Response, 'text' | 'tokens' | 'ends'>, delimiter = '\n'): StepSpan[] {
  const { text, tokens, ends } = response;
  if (ends.length !== tokens.length) throw new RangeError(`ends: ${ends.length} entries, wanted ${tokens.length}`);
  const starts = stepStarts(text, delimiter);
  const steps: StepSpan[] = [];
  let line = 0;
  let tokenStart = 0;
  let textStart = 0;
  for (let token = 0; token < tokens.length; token++) {
    const lastCharacter = (ends[token] as number) - 1;
    let next = line;
    while (next + 1 < starts.length && (starts[next + 1] as number) <= lastCharacter) next++;
    if (next === line) continue;
    const textEnd = starts[line + 1] as number;
    if (token > tokenStart) {
      steps.push({ textStart, textEnd, tokenStart, tokenEnd: token });
      tokenStart = token;
      textStart = textEnd;
    }
    line = next;
  }
  if (tokens.length > 0) steps.push({ textStart, textEnd: text.length, tokenStart, tokenEnd: tokens.length });
  return steps;
}

/** Where steps start in a text, 0 first. */
function stepStarts(text: string, delimiter: string): number[] {
  if (delimiter === '') throw new RangeError('step delimiter: empty, wanted at least one character');
  const starts: number[] = [];
  let from = 0;
  while (from < text.length) {
    const found = text.indexOf(delimiter, from);
    const end = found < 0 ? text.length : found + delimiter.length;
    if (text.slice(from, end).trim() !== '') starts.push(from);
    from = end;
  }
  if (starts.length > 0) starts[0] = 0;
  return starts;
}

/** The text of each step, without surrounding white space. */
export function stepTexts(text: string, steps: readonly StepSpan[]): string[] {
  return steps.map((step) => text.slice(step.textStart, step.textEnd).trim());
}
