// Grades a response again by what a judge read in it, where the protocol found no answer itself.
import type { Grade } from '../core/types.js';
import { mstar } from '../reward/protocol/mstar.js';
import type { AnswerRow, LastResort, Protocol } from '../reward/protocol/protocol.js';
import { officialProtocol } from '../reward/protocol/registry.js';
import type { Judge } from './judge.js';

/** The last resort of a judge: grades that have an answer are left as they are. */
export function lastResortOf(judge: Judge): LastResort {
  return async (protocol, row, grade) => {
    if (!lacksAnswer(protocol, row, grade)) return grade;
    const answer = await judge.answerOf(row);
    if (answer === null) return grade;
    // Some rules want the answer in a sentence.
    for (const response of [answer, `The answer is ${answer}`]) {
      const again = protocol.grade({ ...row, response, extraction: answer });
      if (again.verdict !== 'unreadable') return { ...again, reason: `read by ${judge.model}: ${again.reason}` };
    }
    return grade;
  };
}

/** MathVista's rule takes any text for the nearest choice: there our own extractor tells whether an answer was found. */
function lacksAnswer(protocol: Protocol, row: AnswerRow, grade: Grade): boolean {
  if (grade.verdict === 'unreadable') return true;
  const rule = protocol.name === 'official' ? officialProtocol(row) : protocol;
  if (rule.name !== 'mathvista' || row.extraction !== undefined || row.choices.includes(row.response)) return false;
  return mstar.grade(row).verdict === 'unreadable';
}
