// Checks of the fields of a record by type and length, and of the true reasoning that only generated problems have.
import type { ProblemTruth } from '../core/types.js';
import { type Place, refuse, shown } from './refuse.js';

export const MAX_TEXT = 65_536;
export const MAX_ID = 256;

/** Throws UserError naming the field. */
export function checkTruth(value: unknown, at: Place): ProblemTruth {
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

export function checkObject(value: unknown, at: Place, field: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  return refuse(at, field, shown(value), 'an object');
}

/** A text that is not empty. */
export function checkText(value: unknown, at: Place, field: string, maxLength: number): string {
  if (typeof value !== 'string' || value === '') refuse(at, field, shown(value), 'a text');
  if (value.length > maxLength) refuse(at, field, `${value.length} characters`, `at most ${maxLength}`);
  return value;
}
