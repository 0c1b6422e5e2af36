// The project's own protocol: finds the final answer of a long chain of thought and compares values, not strings.
// Reward, voting and evaluation use it too.
import { stagesOf } from '../answer/explain.js';
import { grade } from '../answer/grade.js';
import { goldLetter, type Protocol } from './protocol.js';

export const mstar: Protocol = {
  name: 'mstar',
  describe: 'own extractor for chains of thought',
  grade(row) {
    const answer = row.questionType === 'multi_choice' ? goldLetter(row) : row.answer;
    return grade({ ...row, answer }, row.response);
  },
  stages: (row) => stagesOf(row, row.response),
};
