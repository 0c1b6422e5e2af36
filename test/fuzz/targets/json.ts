// JSON of checkpoint files: what is read is what JavaScript's own parser reads, and a key that stands twice is refused.
import { join } from 'node:path';
import fc from 'fast-check';
import { parseJson } from '../../../src/core/json.js';
import { editedJson, parsed, text } from '../inputs.js';
import { accepted, hold, holdEqual, target } from '../target.js';

const { document } = fc.letrec<{ document: unknown }>((tie) => ({
  document: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(text, fc.integer(), fc.double({ noNaN: true }), fc.boolean(), fc.constant(null)),
    fc.array(tie('document'), { maxLength: 4 }),
    fc.dictionary(text, tie('document'), { maxKeys: 4 }),
  ),
}));

export const json = target({
  name: 'json',
  cases: 2500,
  input: editedJson(document),
  async check(bytes, folder) {
    const file = join(folder, 'config.json');
    const read = await accepted(file, () => ({ value: parseJson(bytes, file) }));
    if (!read) return;
    const own = parsed(new TextDecoder().decode(bytes));
    hold(own !== undefined, 'what is accepted is JSON');
    holdEqual(read.value, own.value, 'the values are those of the text');
    // A text that names a key twice has more colons outside strings than its value has keys.
    const colons =
      new TextDecoder()
        .decode(bytes)
        .replace(/"(?:[^"\\]|\\.)*"/gs, '')
        .split(':').length - 1;
    holdEqual(keysOf(read.value), colons, 'every key stands once');
  },
});

function keysOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const own = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Object.values(value).reduce<number>((sum, child) => sum + keysOf(child), own);
}
