// The rule by which G-LLaVA's scorer reads a choice from a solution of GeoQA or UniGeo.
import { compared, goldLetter, type Protocol, unreadable } from './protocol.js';

/** Tried in turn, each at its first match. */
const PATTERNS = [
  /Answer:([A-D])/,
  /the correct answer is option ([A-D])/,
  /option ([A-D]) is selected/,
  /the answer is option ([A-D])/,
  /the answer is \(([A-D])\)/,
];

export const geoqa: Protocol = {
  name: 'geoqa',
  describe: 'rule of G-LLaVA for GeoQA and UniGeo',
  grade(row) {
    const match = firstMatch(row.response) ?? /is ([A-D])/.exec(lastSentence(row.response));
    return match
      ? compared(match[0], match[1] as string, goldLetter(row), `as "${match[0]}"`)
      : unreadable('none of the phrases that state a choice');
  },
};

function firstMatch(response: string): RegExpExecArray | null {
  for (const pattern of PATTERNS) {
    const match = pattern.exec(response);
    if (match) return match;
  }
  return null;
}

/** What stands before the last full stop. */
function lastSentence(response: string): string {
  return response.split('.').at(-2)?.trim() ?? '';
}
