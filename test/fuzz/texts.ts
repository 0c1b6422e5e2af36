// Texts that parsers stumble over, and plain words that valid documents are made of.
import fc, { type Arbitrary } from 'fast-check';

/** Texts that mean something to a parser, a terminal, a file system or JavaScript. */
const oddTexts = [
  ...['', ' ', '\0', '\n', '\t', '\r\n', '"', "'", '\\', '/', '.', '..', '../..', '/etc/passwd', 'a/../../b', 'a.png'],
  ...[
    '__proto__',
    'constructor',
    'toString',
    'length',
    'null',
    'NaN',
    '-0',
    '1e999',
    '0x10',
    '1_000',
    '$&',
    '%s',
    '{{x}}',
  ],
  ...[
    '\u001b[31mred\u001b[0m',
    '\u0007',
    '\u009b2J',
    '\u202eabc',
    '\u2028',
    '\u200b',
    '\ufeff',
    '\u2581',
    '\ud800',
    'a\udc00b',
    '\u{1f600}',
  ],
  ...[
    '<image>',
    '<image><image>',
    '<think>',
    '<s>',
    '<unk>',
    '<0x41>',
    '\u00e9',
    'e\u0301',
    '\uff11\uff12',
    '\u4e09',
    '\u0130',
    '\u00df',
    '\ufb01',
  ],
];

/** Any text, odd ones more often than chance has them; long ones are few. */
export const text: Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...oddTexts) },
  { weight: 3, arbitrary: fc.string({ maxLength: 12 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(...oddTexts, 'a', '9'), lengths(20_000))
      .map(([unit, times]) => unit.repeat(times)),
  },
);

/** A plain word: what valid documents are made of. */
export const word: Arbitrary<string> = fc
  .string({
    unit: fc.constantFrom(...'abcdefghijkTUV0123456789 \u00e9\u4e09\u{1f600}'),
    minLength: 1,
    maxLength: 10,
  })
  .filter((found) => found.trim() !== '');

/** Counts up to `max`: mostly small, some as large as can be. */
export function lengths(max: number): Arbitrary<number> {
  return fc.oneof({ weight: 5, arbitrary: fc.nat(Math.min(max, 12)) }, fc.nat(max));
}
