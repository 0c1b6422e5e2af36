// Reads step-labelled solutions from JSON files: Math-Shepherd, PRM800K, TRL stepwise supervision, VisualPRM, told by
// the first record.
import { UserError } from '../../core/errors.js';
import { readRecords } from '../records.js';
import { refuse } from '../refuse.js';
import { type StepForm, type StepLabelled, stepForms } from './records.js';

/**
 * Streams the solutions of a file in file order; a record without a rated step gives none.
 * @param form name of the form; told by the first record when left out
 * @throws UserError `file:line: field: found, wanted`
 */
export async function* openSteps(file: string, form?: string): AsyncGenerator<StepLabelled> {
  const names = stepForms.map(({ name }) => name).join(', ');
  let found: StepForm | undefined = stepForms.find(({ name }) => name === form);
  if (form !== undefined && !found) throw new UserError(`${file}: form: ${form}, wanted one of ${names}`);
  for await (const { index, at, value } of readRecords(file)) {
    const record = value as Record<string, unknown>;
    found ??= stepForms.find((candidate) => candidate.accepts(record));
    if (!found) refuse(at, 'record', Object.keys(record).slice(0, 8).join(', '), `one of ${names}`);
    const id = typeof record.id === 'string' || typeof record.id === 'number' ? String(record.id) : String(index);
    yield* (found as StepForm).read(record, id, at);
  }
}
