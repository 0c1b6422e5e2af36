// Checks the words of a command line against the flags of its verb, before yargs reads them: every refusal is a sentence of this
// program. Leaves reading values to yargs and their ranges to the verbs.
import yargs, { type Argv, type CommandModule } from 'yargs';
import { settingAt } from '../config/settings.js';
import { UserError } from '../core/errors.js';
import { nearestName } from '../core/nearest.js';

/** Names that flags had, by verb: refused with the name of today. */
const RENAMED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  check: { dir: 'model' },
  data: { file: 'data' },
};

interface Flags {
  readonly known: readonly string[];
  readonly boolean: readonly string[];
  readonly number: readonly string[];
  readonly array: readonly string[];
  readonly narg: Readonly<Record<string, number>>;
  readonly choices: Readonly<Record<string, readonly unknown[]>>;
  readonly demanded: readonly string[];
}

/** Public in yargs, but missing from its types. */
interface Internals {
  getOptions(): Omit<Flags, 'known' | 'demanded'> & {
    key: Record<string, true>;
    demandedOptions: Record<string, unknown>;
  };
  getGroups(): Record<string, string[]>;
}

/** The flags of every verb; help shows them after its own. */
export function commonFlags<T>(yargs: Argv<T>): Argv<T> {
  return yargs
    .option('json', { type: 'boolean', describe: 'the result as JSON on standard output' })
    .option('quiet', { type: 'boolean', describe: 'no progress on standard error' })
    .option('debug', { type: 'boolean', describe: 'print the stack of an error' })
    .alias('help', 'h')
    .describe('help', 'this text')
    .describe('version', 'the version of mstar')
    .group(['json', 'quiet', 'debug', 'help', 'version'], 'Every verb:');
}

/** A verb whose help shows its own flags first. */
export function ownFlagsFirst(command: CommandModule): CommandModule {
  const builder = (parser: Argv): Argv => {
    if (typeof command.builder === 'function') void command.builder(parser);
    const { getOptions, getGroups } = parser as unknown as Internals;
    const grouped = Object.values(getGroups.call(parser)).flat();
    const own = Object.keys(getOptions.call(parser).key).filter(
      (name) => name === kebab(name) && !grouped.includes(name),
    );
    return parser.group(own, 'Options:');
  };
  return { ...command, builder };
}

export function verbOf({ command }: CommandModule): string {
  return String(command).split(' ')[0] as string;
}

/** What a dash stands for: yargs takes one alone for no value. */
const STDIN = '/dev/stdin';
const STDOUT = '/dev/stdout';

/**
 * The words as yargs knows them: `--image_root` and `--imageRoot` are `--image-root`, `help VERB` is `VERB --help`, `-` in the
 * place of a file is standard input or output.
 */
export function normalised(words: readonly string[]): string[] {
  const end = words.indexOf('--');
  const known: string[] = [];
  for (const [i, word] of (words[0] === 'help' ? [...words.slice(1), '--help'] : words).entries()) {
    const before = known.at(-1) ?? '';
    if (end >= 0 && i > end) known.push(word);
    else if (word !== '-') known.push(word.replace(/^--[a-zA-Z][\w-]*/, kebab));
    else if (!before.startsWith('--') || before === '--data' || before === '--config') known.push(STDIN);
    else if (before === '--out' || before === '--html') known.push(STDOUT);
    else known.push(`${known.pop()}=-`);
  }
  return known;
}

function kebab(flag: string): string {
  return flag.replaceAll('_', '-').replace(/[a-z][A-Z]/g, ([a, b]) => `${a}-${(b as string).toLowerCase()}`);
}

/**
 * Refuses what the verb does not take: unknown flags, flags without a value, values of another kind, words too many or too few.
 * @throws UserError `what: found, wanted`
 */
export function checkLine(words: readonly string[], commands: readonly CommandModule[]): void {
  const verb = words.find((word) => !word.startsWith('-') && word !== 'true' && word !== 'false');
  if (asks(words, '--version') || asks(words, '--help') || asks(words, '-h')) return;
  if (verb === undefined) throw new UserError('no verb, wanted one of those that mstar --help lists');
  const command = commands.find((one) => verbOf(one) === verb);
  if (!command) throw new UserError(`${verb}: unknown verb, ${wantedVerb(verb, commands)}`);
  const flags = flagsOf(command);
  const { positionals, given } = readWords(words, verb, flags);
  const extra = checkPositionals(positionals.slice(1), String(command.command), flags, given);
  if (extra !== undefined) throw new UserError(extraWord(extra, words, String(command.command), flags));
  const missing = flags.demanded.filter((name) => !given.has(name));
  if (missing.length > 0) {
    const names = missing.map((name) => `--${name}`).join(', ');
    throw new UserError(
      `${names}: missing, wanted ${missing.length > 1 ? 'values' : 'a value'} as ${helpOf(verb)} shows`,
    );
  }
}

function asks(words: readonly string[], flag: string): boolean {
  const end = words.indexOf('--');
  return (end < 0 ? words : words.slice(0, end)).includes(flag);
}

function wantedVerb(verb: string, commands: readonly CommandModule[]): string {
  const near = nearestName(verb, commands.map(verbOf));
  return near ? `did you mean ${near}?` : 'wanted one that mstar --help lists';
}

function helpOf(verb: string): string {
  return `mstar ${verb} --help`;
}

/** What yargs was told of a verb. */
function flagsOf({ builder }: CommandModule): Flags {
  const parser = commonFlags(yargs([]));
  if (typeof builder === 'function') void builder(parser as Argv<object>);
  const { getOptions } = parser as unknown as Internals;
  const options = getOptions.call(parser);
  // yargs also has the camel-case form of each name.
  const known = Object.keys(options.key).filter((name) => name === kebab(name));
  return { ...options, known, demanded: Object.keys(options.demandedOptions) };
}

/** Goes through the words as yargs does. */
function readWords(
  words: readonly string[],
  verb: string,
  flags: Flags,
): { positionals: string[]; given: Set<string> } {
  const positionals: string[] = [];
  const given = new Set<string>();
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    if (word === '--') {
      positionals.push(...words.slice(i + 1));
      break;
    }
    if (isValue(word)) {
      positionals.push(word);
      continue;
    }
    const equals = word.indexOf('=');
    const flag = equals < 0 ? word : word.slice(0, equals);
    const name = nameOf(flag, verb, flags);
    const isList = flags.array.includes(name);
    if (given.has(name) && !isList) throw new UserError(`${flag}: given twice, wanted once`);
    given.add(name);
    const values = equals < 0 ? [] : [word.slice(equals + 1)];
    if (flags.boolean.includes(name)) {
      if (equals < 0 && /^(true|false|yes|no|on|off|0|1)$/i.test(words[i + 1] ?? '')) values.push(words[++i] as string);
      const [value] = values;
      if (value !== undefined && !['true', 'false'].includes(value))
        throw new UserError(`${flag}: ${value || 'empty'}, wanted true or false, or no value for true`);
      continue;
    }
    if (equals < 0) {
      const most = isList && flags.narg[name] === undefined ? Number.POSITIVE_INFINITY : 1;
      while (values.length < most && i + 1 < words.length && isValue(words[i + 1] as string))
        values.push(words[++i] as string);
    }
    checkValues(flag, name, values, words[i + 1], flags);
  }
  return { positionals, given };
}

/** Whether a word is no flag: anything without a dash, a negative number. */
function isValue(word: string): boolean {
  return !word.startsWith('-') || /^-\.?\d/.test(word);
}

/** The flag's name without dashes. */
function nameOf(flag: string, verb: string, { known, boolean }: Flags): string {
  const name = flag.replace(/^--?/, '');
  // Help shows a flag of one letter with one dash.
  if (known.includes(name) && (flag.startsWith('--') || name.length === 1)) return name;
  const negated = /^--no-(.+)$/.exec(flag)?.[1];
  if (negated !== undefined && boolean.includes(negated)) return negated;
  const renamed = RENAMED[verb]?.[name];
  if (renamed) throw new UserError(`${flag}: no longer a flag of mstar ${verb}, wanted --${renamed}`);
  if (known.includes('set') && settingAt(name.split('.')))
    throw new UserError(`${flag}: a setting, wanted --set ${name}=VALUE`);
  const near = known.includes(name) ? name : nearestName(name, known);
  throw new UserError(
    `${flag}: unknown flag, ${near ? `did you mean --${near}?` : `wanted one that ${helpOf(verb)} lists`}`,
  );
}

function checkValues(
  flag: string,
  name: string,
  values: readonly string[],
  next: string | undefined,
  { number, choices }: Flags,
): void {
  if (values.length === 0) {
    const dashed = next !== undefined && next !== '--' ? ` (one that begins with a dash as ${flag}=VALUE)` : '';
    throw new UserError(`${flag}: no value, wanted one${dashed}`);
  }
  for (const value of values) {
    if (value === '') throw new UserError(`${flag}: empty, wanted a value, or the flag left out`);
    if (number.includes(name) && (value.trim() === '' || !Number.isFinite(Number(value))))
      throw new UserError(`${flag}: ${value}, wanted a number`);
    checkChoice(flag, value, choices[name]);
  }
}

function checkChoice(what: string, value: string, choices: readonly unknown[] | undefined): void {
  if (choices && !choices.includes(value)) {
    throw new UserError(`${what}: ${value}, wanted one of ${choices.join(', ')}`);
  }
}

/** `rollouts <run> <sql>` as one types it: `mstar rollouts RUN SQL`. */
function typed(usage: string): string {
  const [verb, ...slots] = usage.split(' ') as [string, ...string[]];
  const words = slots.map((slot) => slot.replace(/[<>[\]]/g, '').replace('..', '...'));
  return ['mstar', verb, ...words.map((word) => word.toUpperCase())].join(' ');
}

/**
 * Refuses words in the places of a verb, and adds their names to those given.
 * @param usage for example `rollouts <run> <sql>`: `<..>` is needed, `[..]` may be left out or given as a flag
 * @returns the first word that has no place
 */
function checkPositionals(
  found: readonly string[],
  usage: string,
  flags: Flags,
  given: Set<string>,
): string | undefined {
  const [, ...slots] = usage.split(' ');
  const whole = typed(usage);
  const names = slots.map((slot) => slot.replace(/[<>[\].]/g, ''));
  for (const [i, slot] of slots.entries()) {
    const name = names[i] as string;
    const value = found[i];
    if (value === undefined) {
      const needed = slot.startsWith('<') || flags.demanded.includes(name);
      if (needed && !given.has(name)) throw new UserError(`${name}: missing, wanted ${whole}`);
      continue;
    }
    if (value === '') throw new UserError(`${name}: empty, wanted ${whole}`);
    if (given.has(name)) throw new UserError(`--${name}: given twice, wanted once`);
    checkChoice(name, value, flags.choices[name]);
    given.add(name);
  }
  return slots.at(-1)?.includes('..') ? undefined : found[slots.length];
}

/** What to type instead of a word that has no place. */
function extraWord(extra: string, words: readonly string[], usage: string, flags: Flags): string {
  const verb = usage.split(' ')[0] as string;
  if (words[words.indexOf(extra) - 1] === '--json')
    return `--json: ${extra}, wanted no file: the result goes to standard output (--json > ${extra})`;
  const override = flags.known.includes('set') && /^[\w.]+=/.test(extra) ? `--set ${extra}` : undefined;
  const recipe = flags.known.includes('preset')
    ? `--${/\.ya?ml$/.test(extra) ? 'config' : 'preset'} ${extra}`
    : undefined;
  const wanted = override ?? recipe ?? `${typed(usage)} and the flags that ${helpOf(verb)} lists`;
  return `${extra || 'empty word'}: not a flag of mstar ${verb}, wanted ${wanted}`;
}
