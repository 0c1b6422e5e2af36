// The project's own protocol: finds the final answer of a long chain of thought and compares values, not strings.
// Reward, voting and evaluation use it too.
import { tidy } from '../answer/choices.js';
import { statedAnswers } from '../answer/extract.js';
import { grade } from '../answer/grade.js';
import { NamedChoices } from '../answer/mentions.js';
import { finalText } from '../answer/response.js';
import { goldLetter, type Protocol } from './protocol.js';

/** Longest text that is shown of a piece and of all, in UTF-16 units, and most choices, from the end. */
const SHOWN = { piece: 80, read: 400, choices: 16 };

export const mstar: Protocol = {
  name: 'mstar',
  describe: 'own extractor for chains of thought',
  grade(row) {
    const answer = row.questionType === 'multi_choice' ? goldLetter(row) : row.answer;
    return grade({ ...row, answer }, row.response);
  },
  stages({ questionType, choices, response }) {
    const text = finalText(response);
    const multiChoice = questionType === 'multi_choice';
    const stated = statedAnswers(text, multiChoice).map(({ how, text }) => `${how}: ${text.slice(0, SHOWN.piece)}`);
    const plain = tidy(text);
    const groups = multiChoice ? new NamedChoices(plain, choices).groups(false).slice(-SHOWN.choices) : [];
    const named = groups.map(({ stance, letters, start, end }) => {
      const words = plain.slice(start, end).slice(0, SHOWN.piece);
      return `${stance} ${letters.join(', ')}: ${words}`;
    });
    return { read: text.slice(-SHOWN.read), statements: [...stated, ...named] };
  },
};
