// What the targets draw inputs from: texts, and JSON and bytes with edits. Edits are lists, so that shrinking drops
// those that do not matter.
import fc, { type Arbitrary } from 'fast-check';
import { byteEdits, editBytes } from './byte-edits.js';
import { editJson, edits } from './json-edits.js';

export { byteEdits, editBytes } from './byte-edits.js';
export { editJson, edits } from './json-edits.js';
export { lengths, text, word } from './texts.js';

/** A JSON document with edits in its structure, and seldom in its bytes. */
export function editedJson(document: Arbitrary<unknown>): Arbitrary<Uint8Array> {
  return fc
    .tuple(document, edits, fc.constantFrom('', '  '), byteEdits(2))
    .map(([value, changes, indent, bytes]) => editBytes(Buffer.from(editJson(value, changes, indent)), bytes));
}

/** JSON lines, or a JSON list, of records with edits. */
export function editedRecords(record: Arbitrary<unknown>): Arbitrary<Uint8Array> {
  const lines = fc
    .array(fc.tuple(record, edits), { minLength: 1, maxLength: 3 })
    .map((all) => all.map(([value, changes]) => `${editJson(value, changes)}\n`).join(''));
  const list = fc
    .tuple(fc.array(record, { minLength: 1, maxLength: 3 }), edits, fc.constantFrom('', '  '))
    .map(([all, changes, indent]) => editJson(all, changes, indent));
  return fc.tuple(fc.oneof(lines, list), byteEdits(2)).map(([found, bytes]) => editBytes(Buffer.from(found), bytes));
}

/** What JSON says, by JavaScript's own parser; undefined where it is none. */
export function parsed(found: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(found) };
  } catch {
    return undefined;
  }
}
