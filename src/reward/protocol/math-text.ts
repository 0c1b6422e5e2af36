// The rules of the Qwen2.5-Math evaluation for text problems: the last box, then equality of texts, numbers, expressions.
// That evaluation compares expressions by computer algebra; here they are compared at points, which agrees wherever both
// can read them (docs/grading.md).
import { readFormula, sameExpression } from '../answer/expression.js';
import { compared, unreadable } from '../answer/grade.js';
import { lastBoxed } from '../answer/latex.js';
import type { Protocol } from './protocol.js';

export const mathText: Protocol = {
  name: 'math-text',
  describe: 'rules of the Qwen2.5-Math evaluation for MATH-like answers',
  grade(row) {
    const found = extract(row.response);
    if (found === null || found.text.trim() === '') return unreadable('no box, phrase or number');
    const text = found.text.trim().replace(/\.$/, '');
    return compared({ ...readFormula(text, found.how), extracted: text }, row.answer, isEqual(row.answer, text));
  },
};

/** Tried in turn; the last number is what remains. */
function extract(response: string): { text: string; how: string } | null {
  const boxed = lastBoxed(response);
  if (boxed) return { text: boxed.content, how: 'the last box' };
  for (const phrase of ['he answer is', 'final answer is']) {
    const at = response.lastIndexOf(phrase);
    if (at >= 0) return { text: response.slice(at + phrase.length), how: `after "${phrase}"` };
  }
  const number = Array.from(response.replaceAll(',', '').matchAll(/-?\d*\.?\d+/g)).at(-1);
  return number ? { text: number[0], how: 'the last number' } : null;
}

function isEqual(gold: string, answer: string): boolean {
  const [plainGold, plainAnswer] = [gold, answer].map((text) =>
    text
      .replace(/\\(?:left|right|!|text|mathrm)(?![A-Za-z])/g, '')
      .replace(/\\[dt]frac/g, '\\frac')
      .replace(/\^\{?\\circ\}?/g, '')
      .replace(/[\s${}]|\\?%/g, '')
      .toLowerCase(),
  );
  if (plainGold === plainAnswer) return true;
  const [wanted = null, found = null] = [gold, answer].map(digits);
  if (wanted !== null && found !== null)
    return [wanted / 100, wanted, wanted * 100].some(
      (value) => Math.abs(value - found) <= 1e-4 * Math.max(Math.abs(value), Math.abs(found)),
    );
  // Its algebra reads no `10{,}000`: such a number equals only its own spelling.
  if (gold.includes('{,}') !== answer.includes('{,}')) return false;
  return sameExpression(readFormula(gold, ''), readFormula(answer, ''));
}

/** A number with thousands commas, or a percentage as its hundredth. */
function digits(text: string): number | null {
  const written = /^\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*(\\?%)?\s*$/i.exec(text.replaceAll(',', ''));
  return written && Number(written[1]) / (written[2] ? 100 : 1);
}
