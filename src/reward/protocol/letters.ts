// The rules of benchmarks that read one letter from a response and compare it with the gold letter.
import { letterAt, placeOf } from '../../core/letters.js';
import { compared, type Found, unreadable } from '../answer/grade.js';
import { goldLetter, type Protocol } from './protocol.js';

/** @param none why a response is unreadable of which `read` gives null */
function rule(
  name: string,
  describe: string,
  none: string,
  read: (response: string, choices: readonly string[]) => Found | null,
): Protocol {
  return {
    name,
    describe,
    grade(row) {
      const found = read(row.response, row.choices);
      return found === null ? unreadable(none) : compared(found, goldLetter(row));
    },
  };
}

/** The last letter in brackets, else the last choice whose text occurs, else a lone letter. */
function readM3cot(response: string, choices: readonly string[]): Found | null {
  // What follows the last `[Answer]`, up to the next part of that template.
  const [, after] = /^[\s\S]*\[Answer\]([\s\S]*?)(?:\[Rationale\]|\[Context\]|$)/.exec(response) ?? [];
  const text = after ?? response;
  const bracketed = Array.from(text.matchAll(/\(([A-Za-z])\)/g)).at(-1);
  if (bracketed) {
    const letter = (bracketed[1] as string).toUpperCase();
    return { normalised: letter, extracted: bracketed[0], how: 'the last letter in brackets' };
  }
  const lower = text.toLowerCase();
  const named = choices.findLastIndex((choice) => lower.includes(choice.toLowerCase()));
  if (named >= 0)
    return {
      normalised: letterAt(named),
      extracted: choices[named] as string,
      how: 'the last choice whose text occurs',
    };
  const words = new Set(text.replace(/[\n.,!?]/g, ' ').split(' '));
  for (const cased of [(letter: string) => letter, (letter: string) => letter.toLowerCase()]) {
    const lone = choices.findLastIndex((_, i) => words.has(cased(letterAt(i))));
    if (lone >= 0) return { normalised: letterAt(lone), extracted: cased(letterAt(lone)), how: 'the last lone letter' };
  }
  return null;
}

/** VLMEvalKit without its judge: exactly one lone letter near the end, or else one option text. */
function canInfer(answer: string, choices: readonly string[]): Found | null {
  return inferOption(answer, choices) ?? inferText(answer, choices);
}

function inferOption(answer: string, choices: readonly string[]): Found | null {
  if (answer.includes('Failed to obtain answer via API')) return null;
  // For a refusal the kit gives a letter that no question has.
  const refused = 'Z';
  const refusal = [
    "Sorry, I can't help with images of people yet.",
    "I can't process this file.",
    "I'm sorry, but without the image provided",
    'Cannot determine the answer',
  ].find((words) => answer.includes(words));
  if (refusal) return { normalised: refused, extracted: refusal, how: 'a refusal' };
  const words = answer
    .replace(/[.()[\],:;!*#{}]/g, ' ')
    .split(/\s+/)
    .filter((word) => word !== '');
  const letters = choices.map((_, i) => letterAt(i)).filter((letter) => words.includes(letter));
  const only = letters.length === 1 ? (letters[0] as string) : null;
  // An option far from the end is often an article or a label; the kit looks at the first place of the letter.
  if (only !== null && words.indexOf(only) > words.length - 5)
    return { normalised: only, extracted: only, how: 'the only letter, near the end' };
  if (letters.length === 0 && words.includes(refused))
    return { normalised: refused, extracted: refused, how: 'none of them' };
  // Only A to D, as the kit has it.
  const said = /(?:correct\s{1,16})?answer\s{1,16}is\s{1,16}\*{0,4}([ABCD])/i.exec(answer);
  const letter = said?.[1]?.toUpperCase();
  return said && letter !== undefined && placeOf(letter) < choices.length
    ? { normalised: letter, extracted: said[0], how: 'after "answer is"' }
    : null;
}

/** The only option whose text occurs, unless the answer is over twice as long as all options together. */
function inferText(answer: string, choices: readonly string[]): Found | null {
  const lower = answer.toLowerCase();
  if (lower.length > 2 * choices.reduce((sum, choice) => sum + choice.length, 0)) return null;
  const named = choices.flatMap((choice, i) => (lower.includes(choice.toLowerCase()) ? [i] : []));
  const [index] = named;
  return index === undefined || named.length > 1
    ? null
    : { normalised: letterAt(index), extracted: choices[index] as string, how: 'the only option whose text occurs' };
}

/** The response must open with the letter, in one of four ways. A long chain of thought fails it by design. */
const mmstar: Protocol = {
  name: 'mmstar',
  describe: 'rule of the MMStar matcher',
  grade(row) {
    const [answer, text] = [row.answer, row.response].map((side) =>
      side.toLowerCase().trim().replaceAll('\n', ' '),
    ) as [string, string];
    const openings = ['', '(', 'option ', 'the answer is '].filter(
      (opening) => text.startsWith(opening) && text.length > opening.length,
    );
    const how = 'opens with';
    const right = openings.find((opening) => text[opening.length] === answer);
    if (right !== undefined)
      return compared({ extracted: right + answer, normalised: answer.toUpperCase(), how }, goldLetter(row), true);
    // The longest opening says which letter the response chose, for the reader of the report.
    const chosen = openings.at(-1);
    const letter = chosen === undefined ? '' : (text[chosen.length] as string);
    const isLetter = /^[a-z]$/.test(letter) && (chosen !== '' || !/^[a-z]{2}/.test(text));
    if (!isLetter) return unreadable('does not open with a letter');
    return compared({ extracted: chosen + letter, normalised: letter.toUpperCase(), how }, goldLetter(row), false);
  },
};

function readGeoqa(response: string): Found | null {
  // Tried in turn, each at its first match.
  const stated = [
    /Answer:([A-D])/,
    /the correct answer is option ([A-D])/,
    /option ([A-D]) is selected/,
    /the answer is option ([A-D])/,
    /the answer is \(([A-D])\)/,
  ]
    .map((pattern) => pattern.exec(response))
    .find((match) => match !== null);
  // Else what stands before the last full stop.
  const match = stated ?? /is ([A-D])/.exec(response.split('.').at(-2)?.trim() ?? '');
  return match && { normalised: match[1] as string, extracted: match[0], how: `as "${match[0]}"` };
}

/** The letter alone, `A. ` at the start, `The answer is A`. */
function readScienceqa(response: string, choices: readonly string[]): Found | null {
  const text = response.replaceAll('\n', '. ');
  const match =
    /^\s*([A-E])\s*$/.exec(text) ??
    /^([A-E])(?=\. )/.exec(text) ??
    /The answer is ([A-E])\./.exec(text) ??
    /The answer is ([A-E])/.exec(text);
  const extracted = match?.[0].trim() ?? '';
  const letter = match?.[1];
  return letter !== undefined && placeOf(letter) < choices.length
    ? { normalised: letter, extracted, how: `as "${extracted}"` }
    : null;
}

export const letterRules: readonly Protocol[] = [
  rule('m3cot', 'rule of the M3CoT judge', 'no letter in brackets, no choice text, no lone letter', readM3cot),
  mmstar,
  ...[
    ['mmbench', 'MMBench'],
    ['ai2d', 'AI2D'],
  ].map(([name = '', title]) =>
    rule(name, `rule of VLMEvalKit for ${title}`, 'not exactly one option: the kit would ask its judge', canInfer),
  ),
  rule('geoqa', 'rule of G-LLaVA for GeoQA and UniGeo', 'none of the phrases that state a choice', readGeoqa),
  rule('scienceqa', 'rule of LLaVA for ScienceQA', 'no letter of a choice', readScienceqa),
];
