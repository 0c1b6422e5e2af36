// Tables of rollouts for tests of the evaluation: problems with the texts and rewards of their responses.
import type { Problem } from '../../src/core/types.js';
import { type RowGroup, writeRolloutTable } from '../../src/record/table.js';
import { rate } from '../../src/rollout/generate.js';
import { respond } from './chains.js';

export interface StoredGroup {
  readonly problem: Problem;
  readonly temperature: number;
  readonly version?: number;
  /** [text, reward]; a text alone has none. */
  readonly responses: readonly (string | readonly [text: string, reward: number])[];
  readonly error?: string;
}

/** A multiple-choice problem with choices `one`, `two`, `three`... */
export function choiceProblem(id: string, answer: string, more: Partial<Problem> = {}): Problem {
  const choices = ['one', 'two', 'three', 'four'];
  const listed = choices.map((choice, i) => `(${String.fromCharCode(65 + i)}) ${choice}`).join('\n');
  return {
    id,
    question: `Question: how many?\nChoices:\n${listed}`,
    images: [],
    answer,
    questionType: 'multi_choice',
    answerType: 'text',
    choices,
    source: 'counting',
    ...more,
  };
}

/** A problem whose answer is an integer. */
export function numberProblem(id: string, answer: string, more: Partial<Problem> = {}): Problem {
  const question = 'Question: how many?';
  const form = { questionType: 'free_form', answerType: 'integer' } as const;
  return { id, question, images: [], answer, ...form, choices: [], source: 'counting', ...more };
}

/** Writes the new file `path`. */
export async function writeStored(path: string, folder: string, groups: readonly StoredGroup[]): Promise<void> {
  await writeRolloutTable(path, folder, rowGroups(groups));
}

async function* rowGroups(groups: readonly StoredGroup[]): AsyncGenerator<RowGroup> {
  for (const { problem, temperature, version = 0, responses, error } of groups) {
    const rated = responses.map((one) => {
      const [text, reward] = typeof one === 'string' ? [one, undefined] : one;
      return { ...rate(problem, respond(text, 100, 0), '\n'), ...(reward !== undefined && { reward }) };
    });
    const context = { temperature, seed: 1, version, selected: new Set<number>() };
    yield { rollout: { problem, responses: rated, ...(error !== undefined && { error }) }, context };
  }
}
