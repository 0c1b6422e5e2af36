// A stored response as the row of a protocol: each wants the gold answer in its own form.
import { UserError } from '../core/errors.js';
import type { AnswerRow, Protocol } from '../reward/protocol/protocol.js';
import { protocols } from '../reward/protocol/registry.js';
import type { Asked } from './benchmarks/benchmark.js';

/** The protocol of this name. Throws UserError naming those that there are. */
export function findProtocol(name: string): Protocol {
  const protocol = protocols.get(name);
  if (!protocol) throw new UserError(`--protocol: ${name}, wanted one of ${[...protocols.keys()].join(', ')}`);
  return protocol;
}

/** A response with its question, as protocols read it. */
export function rowOf(problem: Asked, response: string, protocol: string): AnswerRow {
  const { questionType, answer, choices } = problem;
  const letter = questionType === 'multi_choice' ? answer : undefined;
  const choice = letter?.length === 1 ? choices[letter.charCodeAt(0) - 65] : undefined;
  return {
    ...problem,
    // Problems of MathV360K have the rules of the data sets that it was made from.
    taskFormat: 'mathv360k',
    // MathVista's gold answer is the text of the choice.
    answer: protocol === 'mathvista' ? (choice ?? answer) : answer,
    answerLetter: choice === undefined ? undefined : letter,
    response,
  };
}
