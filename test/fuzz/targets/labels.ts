// labels.jsonl: what was written is read again, and what is read is well-formed whatever was done to the file.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { writeJsonLines } from '../../../src/core/files.js';
import { type LabelledResponse, readLabels } from '../../../src/record/labels.js';
import { byteEdits, editBytes, editJson, edits, text, word } from '../inputs.js';
import { accepted, hold, holdEqual, target } from '../target.js';

const label = fc
  .record({
    problem: word,
    sample: fc.nat(100),
    verdict: fc.constantFrom('correct' as const, 'wrong' as const, 'unreadable' as const),
    text,
    tokens: fc.array(fc.nat(100_000), { minLength: 1, maxLength: 6 }),
    cuts: fc.array(fc.nat(5), { maxLength: 4 }),
    share: fc.nat(16),
    right: fc.option(fc.boolean(), { nil: undefined }),
  })
  .map(({ cuts, share, right, ...rest }): LabelledResponse => {
    const ends = [...new Set([...cuts.filter((cut) => cut > 0 && cut < rest.tokens.length), rest.tokens.length])].sort(
      (a, b) => a - b,
    );
    return { ...rest, steps: ends.map((end) => ({ end, label: share / 16, ...(right !== undefined && { right }) })) };
  });

interface Input {
  readonly bytes?: Uint8Array;
  /** What is written by the project's own writer. */
  readonly labels?: readonly LabelledResponse[];
}

const edited = fc
  .tuple(fc.array(fc.tuple(label, edits), { minLength: 1, maxLength: 3 }), byteEdits(2))
  .map(([all, bytes]) => ({
    bytes: editBytes(Buffer.from(all.map(([value, changes]) => `${editJson(value, changes)}\n`).join('')), bytes),
  }));

export const labels = target<Input>({
  name: 'labels',
  cases: 1000,
  input: fc.oneof({ weight: 7, arbitrary: edited }, fc.record({ labels: fc.array(label, { maxLength: 3 }) })),
  async check({ bytes, labels: given }, folder) {
    const file = join(folder, 'labels.jsonl');
    if (given) await writeJsonLines(file, given);
    else writeFileSync(file, bytes as Uint8Array);
    const read = await accepted(file, () => readLabels(file));
    // UTF-8 has no half of a surrogate pair; everything else comes back as it was.
    if (given) holdEqual(read, given, 'what was written is read');
    for (const entry of read ?? []) {
      const { problem, sample, verdict, text: response, tokens, steps } = entry;
      hold(typeof problem === 'string' && typeof response === 'string', 'problem and text are texts', entry);
      hold(Number.isSafeInteger(sample) && sample >= 0, 'a sample is a count', sample);
      hold(['correct', 'wrong', 'unreadable'].includes(verdict), 'a verdict is one of three', verdict);
      hold(
        Array.isArray(tokens) && tokens.every((token) => Number.isSafeInteger(token) && token >= 0 && token < 2 ** 31),
        'tokens are ids',
        tokens,
      );
      hold(Array.isArray(steps) && steps.length > 0, 'there are steps', steps);
      let before = 0;
      for (const { end, label: share, right } of steps) {
        hold(Number.isInteger(end) && end > before, 'steps end one after the other', steps);
        hold(typeof share === 'number' && share >= 0 && share <= 1, 'a label is a share', share);
        hold(right === undefined || typeof right === 'boolean', 'right is true or false', right);
        before = end;
      }
      holdEqual(before, tokens.length, 'the last step ends where the tokens end');
    }
  },
});
