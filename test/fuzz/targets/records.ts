// Files of records: a JSON list or JSON lines. What is read is what JavaScript's own parser reads, with the right lines.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { readRecords } from '../../../src/data/records.js';
import { editedRecords, parsed, text } from '../inputs.js';
import { acceptedAll, hold, holdEqual, target } from '../target.js';

const value = fc.oneof(
  text,
  fc.integer(),
  fc.boolean(),
  fc.array(text, { maxLength: 3 }),
  fc.dictionary(text, text, { maxKeys: 3 }),
);
const record = fc.dictionary(text, value, { maxKeys: 4 });
/** White space between and inside records, so that some begin or end where the reader's pieces of a file do. */
const padding = fc.oneof(
  { weight: 30, arbitrary: fc.constant(0) },
  fc.integer({ min: 2 ** 20 - 40, max: 2 ** 20 + 10 }),
);

export const records = target({
  name: 'records',
  cases: 1500,
  input: fc.record({ bytes: editedRecords(record), padding }),
  async check({ bytes, padding }, folder) {
    const file = join(folder, 'data.json');
    const whole = Buffer.concat([Buffer.alloc(padding, ' '), bytes]);
    writeFileSync(file, whole);
    const read = await acceptedAll(file, () => readRecords(file));
    if (!read) return;
    const found = new TextDecoder().decode(whole);
    const values = read.map((entry) => entry.value);
    holdEqual(
      read.map(({ index }) => index),
      values.map((_, index) => index),
      'records are counted from 0',
    );
    const lines = found.split('\n');
    for (const { at } of read) hold((lines[at.line - 1] ?? '').includes('{'), 'a record starts on its line', at);
    if (found.trimStart().startsWith('[')) {
      const own = parsed(found);
      hold(own !== undefined, 'a list that is accepted is JSON');
      return holdEqual(values, own.value, 'the records are those of the list');
    }
    const own = lines
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .map(parsed);
    // A record may span lines: then this second reading does not apply.
    if (own.every((entry) => entry !== undefined))
      holdEqual(
        values,
        own.map((entry) => entry?.value),
        'the records are those of the lines',
      );
  },
});
