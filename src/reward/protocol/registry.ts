// The list of protocols, and which of them is the official one of a row.
import { ai2d, mmbench } from './can-infer.js';
import { geoqa } from './geoqa.js';
import { m3cot } from './m3cot.js';
import { mathText } from './math-text.js';
import { mathvista } from './mathvista.js';
import { mmstar } from './mmstar.js';
import { mstar } from './mstar.js';
import type { AnswerRow, Protocol } from './protocol.js';
import { scienceqa } from './scienceqa.js';
import { tabmwp } from './tabmwp.js';

/** The rule of the benchmark that a row comes from; `mstar` where it has none. */
const official: Protocol = {
  name: 'official',
  describe: "each row by its own benchmark's rule, by mstar where it has none",
  grade: (row) => officialProtocol(row).grade(row),
};

const benchmarks = [mathvista, m3cot, mmstar, mmbench, ai2d, geoqa, scienceqa, tabmwp, mathText];

/** All protocols by name; `mstar` is the default. */
export const protocols: ReadonlyMap<string, Protocol> = new Map(
  [mstar, official, ...benchmarks].map((protocol) => [protocol.name, protocol]),
);

/** Data sets inside MathV360K that have a rule of their own. */
const SOURCES: readonly (readonly [RegExp, Protocol])[] = [
  [/geoqa|unigeo/i, geoqa],
  [/scienceqa/i, scienceqa],
  [/tabmwp/i, tabmwp],
];

/** The protocol of the benchmark that a row comes from. */
export function officialProtocol(row: Pick<AnswerRow, 'taskFormat' | 'source'>): Protocol {
  const named = benchmarks.find(({ name }) => name === row.taskFormat.replaceAll('_', '-'));
  if (named) return named;
  if (row.taskFormat !== 'mathv360k') return mstar;
  return SOURCES.find(([pattern]) => pattern.test(row.source))?.[1] ?? mstar;
}
