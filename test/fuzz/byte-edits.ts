// Edits of bytes: flips, cuts, repeats, spans that change places.
import fc, { type Arbitrary } from 'fast-check';
import { lengths, text } from './texts.js';

const byteEdit = fc.record({
  /** Where, as a share of 65,536 of the length. */
  at: fc.nat(65_535),
  length: lengths(64),
  change: fc.oneof(
    fc.record({ kind: fc.constant('flip' as const), bit: fc.nat(7) }),
    fc.record({ kind: fc.constant('set' as const), bytes: fc.uint8Array({ minLength: 1, maxLength: 10 }) }),
    fc.record({
      kind: fc.constant('insert' as const),
      bytes: fc.oneof(
        fc.uint8Array({ maxLength: 10 }),
        text.map((found) => Uint8Array.from(Buffer.from(found))),
      ),
    }),
    fc.record({ kind: fc.constant('remove' as const) }),
    fc.record({ kind: fc.constant('cut' as const) }),
    fc.record({ kind: fc.constant('repeat' as const), times: lengths(300) }),
    fc.record({ kind: fc.constant('move' as const), to: fc.nat(65_535) }),
  ),
});
type ByteEdit = typeof byteEdit extends Arbitrary<infer T> ? T : never;

/** No edit, or a few, to be applied by `editBytes`. `often`: share of inputs with an edit, of 10. */
export function byteEdits(often: number): Arbitrary<readonly ByteEdit[]> {
  return fc.oneof(
    { weight: 10 - often, arbitrary: fc.constant([]) },
    { weight: often, arbitrary: fc.array(byteEdit, { minLength: 1, maxLength: 4 }) },
  );
}

export function editBytes(bytes: Uint8Array, changes: readonly ByteEdit[]): Uint8Array {
  let now = bytes;
  for (const { at: share, length, change } of changes) {
    const at = Math.floor((share / 65_536) * (now.length + 1));
    const [before, span, after] = [now.subarray(0, at), now.subarray(at, at + length), now.subarray(at + length)];
    if (change.kind === 'cut') now = before;
    else if (change.kind === 'remove') now = join(before, after);
    else if (change.kind === 'insert') now = join(before, change.bytes, now.subarray(at));
    else if (change.kind === 'repeat')
      now = join(before, ...Array.from({ length: change.times + 1 }, () => span), after);
    else if (change.kind === 'set') now = join(before, change.bytes, now.subarray(at + change.bytes.length));
    else if (change.kind === 'flip')
      now = join(
        before,
        now.subarray(at, at + 1).map((byte) => byte ^ (1 << change.bit)),
        now.subarray(at + 1),
      );
    else {
      const rest = join(before, after);
      const to = Math.floor((change.to / 65_536) * (rest.length + 1));
      now = join(rest.subarray(0, to), span, rest.subarray(to));
    }
  }
  return now;
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}
