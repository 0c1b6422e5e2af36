// All protocols, and which of them is the official one of a row.
import { UserError } from '../../core/errors.js';
import { letterRules } from './letters.js';
import { mathText } from './math-text.js';
import { mathvista } from './mathvista.js';
import { mstar } from './mstar.js';
import type { AnswerRow, Protocol } from './protocol.js';
import { tabmwp } from './tabmwp.js';

/** The rule of the benchmark that a row comes from; `mstar` where it has none. */
const official: Protocol = {
  name: 'official',
  describe: "each row by its own benchmark's rule, by mstar where it has none",
  grade: (row) => officialProtocol(row).grade(row),
};

/** All protocols by name; `mstar` is the default. */
export const protocols: ReadonlyMap<string, Protocol> = new Map(
  [mstar, official, mathvista, ...letterRules, tabmwp, mathText].map((protocol) => [protocol.name, protocol]),
);

/** The protocol of the benchmark that a row comes from; data sets inside MathV360K may have a rule of their own. */
export function officialProtocol({ taskFormat, source }: Pick<AnswerRow, 'taskFormat' | 'source'>): Protocol {
  const inside = /geoqa|unigeo/i.test(source) ? 'geoqa' : /scienceqa|tabmwp/i.exec(source)?.[0].toLowerCase();
  const name = taskFormat === 'mathv360k' ? (inside ?? '') : taskFormat.replaceAll('_', '-');
  const named = protocols.get(name);
  return named === undefined || named === official ? mstar : named;
}

/** The protocol of this name. Throws UserError naming those that there are. */
export function findProtocol(name: string): Protocol {
  const protocol = protocols.get(name);
  if (!protocol) throw new UserError(`--protocol: ${name}, wanted one of ${[...protocols.keys()].join(', ')}`);
  return protocol;
}
