// What the stages of the grader make of a response, for `mstar grade --explain`.
import { tidy } from './choices.js';
import { statedAnswers, statesAnswer } from './extract.js';
import type { Gradable } from './grade.js';
import { findMentions, groupMentions } from './mentions.js';
import { finalText } from './response.js';

/** The first two stages of grade.ts in words; the others are in the grade itself. */
export interface Stages {
  /** The end of the text that is read at all: without thoughts, tokens and what follows the answer. */
  readonly read: string;
  /** What states an answer, the most trusted first; then for a multiple-choice question every choice that is named, and how. */
  readonly statements: readonly string[];
}

/** Longest text that is shown, of a piece and of all. UTF-16 units. */
const SHOWN = 80;
const SHOWN_READ = 400;
/** Most choices that are shown, from the end. */
const MOST_SHOWN = 16;

/** Explains how a response was read for a problem. */
export function stagesOf({ questionType, choices }: Gradable, response: string): Stages {
  const text = finalText(response, statesAnswer);
  const multiChoice = questionType === 'multi_choice';
  const stated = statedAnswers(text, multiChoice).map((piece) => `${piece.how}: ${piece.text.slice(0, SHOWN)}`);
  const plain = tidy(text);
  const groups = multiChoice ? groupMentions(plain, findMentions(plain, choices, false)).slice(-MOST_SHOWN) : [];
  const named = groups.map(({ stance, letters, mentions, end }) => {
    const words = plain.slice(mentions[0]?.start, end).slice(0, SHOWN);
    return `${stance} ${letters.join(', ')}: ${words}`;
  });
  return { read: text.slice(-SHOWN_READ), statements: [...stated, ...named] };
}
