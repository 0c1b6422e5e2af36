// Cutting responses into steps over text and tokens.
import { describe, expect, it } from 'vitest';
import type { StepSpan } from '../../../src/core/types.js';
import { splitSteps, stepTexts } from '../../../src/reward/steps.js';

/** A response from the texts of its tokens; an empty piece stands for a stop token or a part of a character. */
function response(pieces: readonly string[]) {
  let end = 0;
  const ends = pieces.map((piece) => {
    end += piece.length;
    return end;
  });
  return { text: pieces.join(''), tokens: new Int32Array(pieces.length), ends: Uint32Array.from(ends) };
}

/** The tokens' texts of each step, joined by `|`. */
function shown(pieces: readonly string[], steps: readonly StepSpan[]): string[] {
  return steps.map(({ tokenStart, tokenEnd }) => pieces.slice(tokenStart, tokenEnd).join('|'));
}

describe('splitSteps', () => {
  it.each([
    ['one line', ['a ', 'b', ''], ['a |b|']],
    ['two lines', ['a', '\n', 'b', '\n', ''], ['a|\n', 'b|\n|']],
    ['blank lines, which belong to the step before', ['a', '\n', '\n', ' \n', 'b', ''], ['a|\n|\n| \n', 'b|']],
    ['leading blank lines, which belong to the first step', ['\n', '\n', 'a', '\n', 'b'], ['\n|\n|a|\n', 'b']],
    ['a token with two line breaks', ['a', '\n\n', 'b'], ['a|\n\n', 'b']],
    ['a token over a boundary, which belongs to the later step', ['a', '\nb', 'c'], ['a', '\nb|c']],
    ['steps wholly inside one token, which become one', ['a', '\nb\nc', 'd', '\n', 'e'], ['a', '\nb\nc|d|\n', 'e']],
    ['a first token with several steps', ['a\nb\nc', '\n', 'd'], ['a\nb\nc|\n', 'd']],
    ['tokens without text, which stay with the text before them', ['a', '\n', '', 'b', '', ''], ['a|\n|', 'b||']],
    ['a leading token without text', ['', 'a', '\n', 'b'], ['|a|\n', 'b']],
    ['nothing but a stop token', [''], ['']],
    ['nothing but blanks', [' ', '\n', ' '], [' |\n| ']],
    ['no token', [], []],
  ])('cuts %s', (_, pieces, wanted) => {
    expect(shown(pieces, splitSteps(response(pieces)))).toEqual(wanted);
  });

  it.each([[['a', '\n', '\n', 'b', '\n\n', 'c', '\n', '']], [['\n', 'x\ny', '\nz\n', '', '\n', 'end', '']]])(
    'gives spans that cover text and tokens without gap or overlap: %j',
    (pieces) => {
      const whole = response(pieces);
      const steps = splitSteps(whole);
      let [text, token] = [0, 0];
      for (const step of steps) {
        expect([step.textStart, step.tokenStart]).toEqual([text, token]);
        expect(step.tokenEnd).toBeGreaterThan(step.tokenStart);
        [text, token] = [step.textEnd, step.tokenEnd];
      }
      expect([text, token]).toEqual([whole.text.length, pieces.length]);
    },
  );

  it('takes another delimiter', () => {
    const pieces = ['a', '\n', 'b', '\n', '\n', 'c'];
    expect(shown(pieces, splitSteps(response(pieces), '\n\n'))).toEqual(['a|\n|b|\n|\n', 'c']);
    expect(() => splitSteps(response(pieces), '')).toThrow('step delimiter: empty');
  });

  it('gives the text of each step without white space around it', () => {
    const pieces = [' red is 3.', '\n\n', '3 + 1 = 4.', '\n'];
    const whole = response(pieces);
    expect(stepTexts(whole.text, splitSteps(whole))).toEqual(['red is 3.', '3 + 1 = 4.']);
  });

  it('refuses ends that do not match the tokens', () => {
    expect(() => splitSteps({ ...response(['a']), ends: new Uint32Array(2) })).toThrow('ends: 2 entries, wanted 1');
  });
});
