// Checks that a parsed record has the MathV360K form: {image, conversations: [{from, value}, ...], id?, truth?}.
// Leaves the meaning of the two texts to question.ts.
import type { ProblemTruth } from '../core/types.js';
import { type Place, refuse, shown } from './refuse.js';

/** A record of the right form. */
export interface MathRecord {
  readonly id?: string;
  /** Picture path, relative to the image root. */
  readonly image: string;
  /** Value of the human turn, at most 64 Ki characters, as the file gives it. */
  readonly question: string;
  /** Value of the gpt turn. */
  readonly answer: string;
  /** Only in generated files. */
  readonly truth?: ProblemTruth;
}

const MAX_TEXT = 65_536;
const MAX_ID = 256;
const MAX_PATH = 4096;

/**
 * Checks one record; keys that it does not know are left alone, as re-uploads of the data set add some.
 * @throws UserError naming the field
 */
export function checkRecord(value: unknown, at: Place): MathRecord {
  const record = checkObject(value, at, 'record');
  const turns = record.conversations;
  if (!Array.isArray(turns) || turns.length !== 2) refuse(at, 'conversations', shown(turns), 'a list of two turns');
  return {
    id: record.id === undefined || record.id === null ? undefined : checkId(record.id, at),
    image: checkText(record.image, at, 'image', MAX_PATH),
    question: checkTurn(turns[0], 0, 'human', at),
    answer: checkTurn(turns[1], 1, 'gpt', at),
    truth: record.truth === undefined || record.truth === null ? undefined : checkTruth(record.truth, at),
  };
}

function checkId(id: unknown, at: Place): string {
  if (Number.isSafeInteger(id)) return String(id);
  return checkText(id, at, 'id', MAX_ID);
}

function checkTurn(turn: unknown, place: number, speaker: string, at: Place): string {
  const field = `conversations[${place}]`;
  const { from, value } = checkObject(turn, at, field);
  if (from !== speaker) refuse(at, `${field}.from`, shown(from), `"${speaker}"`);
  return checkText(value, at, `${field}.value`, MAX_TEXT);
}

function checkTruth(value: unknown, at: Place): ProblemTruth {
  const { family, steps, scene } = checkObject(value, at, 'truth');
  if (!Array.isArray(steps) || steps.length === 0) refuse(at, 'truth.steps', shown(steps), 'a list of texts');
  const quantities = checkObject(scene, at, 'truth.scene');
  for (const [name, quantity] of Object.entries(quantities)) {
    if (typeof quantity === 'number' || typeof quantity === 'string') continue;
    refuse(at, `truth.scene[${shown(name)}]`, shown(quantity), 'a number or a text');
  }
  return {
    family: checkText(family, at, 'truth.family', MAX_ID),
    steps: steps.map((step, i) => checkText(step, at, `truth.steps[${i}]`, MAX_TEXT)),
    scene: quantities as Record<string, number | string>,
  };
}

function checkObject(value: unknown, at: Place, field: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  return refuse(at, field, shown(value), 'an object');
}

function checkText(value: unknown, at: Place, field: string, maxLength: number): string {
  if (typeof value !== 'string' || value === '') refuse(at, field, shown(value), 'a text');
  if (value.length > maxLength) refuse(at, field, `${value.length} characters`, `at most ${maxLength}`);
  return value;
}
