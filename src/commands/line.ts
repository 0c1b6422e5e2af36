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

/** What yargs was told of a verb. Public in yargs, but missing from its types. */
interface Internals {
  getOptions(): {
    readonly key: Record<string, true>;
    readonly demandedOptions: Record<string, unknown>;
    readonly boolean: readonly string[];
    readonly number: readonly string[];
    readonly array: readonly string[];
    readonly narg: Readonly<Record<string, number>>;
    readonly choices: Readonly<Record<string, readonly unknown[]>>;
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
    else if (!before.startsWith('--') || before === '--data' || before === '--config') known.push('/dev/stdin');
    else if (before === '--out' || before === '--html') known.push('/dev/stdout');
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
  const end = words.indexOf('--');
  if ((end < 0 ? words : words.slice(0, end)).some((word) => /^(--version|--help|-h)$/.test(word))) return;
  const verb = words.find((word) => !word.startsWith('-') && word !== 'true' && word !== 'false');
  if (verb === undefined) throw new UserError('no verb, wanted one of those that mstar --help lists');
  const command = commands.find((one) => verbOf(one) === verb);
  if (command) {
    new Line(words, command).check();
    return;
  }
  const near = nearestName(verb, commands.map(verbOf));
  throw new UserError(
    `${verb}: unknown verb, ${near ? `did you mean ${near}?` : 'wanted one that mstar --help lists'}`,
  );
}

/**
 * The shell whose script `mstar completion` prints: the one that is asked for, else the user's; bash where that has no script and
 * reads bash's, as sh does.
 * @param words those after the verb
 * @throws UserError on other words, and on a shell that has no script
 */
export function completionShell(words: readonly string[], own = ''): string {
  const [flag, value, ...rest] = words.flatMap((word) => word.split('='));
  if (flag !== undefined && (flag !== '--shell' || value === undefined || rest.length > 0))
    throw new UserError(`completion: ${words.join(' ')}: not understood, wanted --shell bash or --shell zsh`);
  const shell = (value ?? own).replace(/.*\//, '');
  if (/^(bash|zsh)$/.test(shell)) return shell;
  if (value === undefined && /^(|sh|dash|ash)$/.test(shell)) return 'bash';
  const where = value === undefined ? '$SHELL' : '--shell';
  throw new UserError(`completion: ${where}: ${shell} has no script, wanted --shell bash or --shell zsh`);
}

/** The words of a line and the flags of its verb. */
class Line {
  readonly #words: readonly string[];
  readonly #verb: string;
  /** For example `rollouts <run> <sql>`: `<..>` is needed, `[..]` may be left out or given as a flag. */
  readonly #usage: string;
  /** Names of flags. */
  readonly #known: readonly string[];
  readonly #demanded: readonly string[];
  readonly #options: ReturnType<Internals['getOptions']>;
  readonly #given = new Set<string>();

  constructor(words: readonly string[], command: CommandModule) {
    const parser = commonFlags(yargs([]));
    if (typeof command.builder === 'function') void command.builder(parser as Argv<object>);
    const { getOptions } = parser as unknown as Internals;
    this.#words = words;
    this.#verb = verbOf(command);
    this.#usage = String(command.command);
    this.#options = getOptions.call(parser);
    // yargs also has the camel-case form of each name.
    this.#known = Object.keys(this.#options.key).filter((name) => name === kebab(name));
    this.#demanded = Object.keys(this.#options.demandedOptions);
  }

  check(): void {
    const extra = this.#checkPositionals(this.#readWords().slice(1));
    if (extra !== undefined) throw new UserError(this.#insteadOf(extra));
    const missing = this.#demanded.filter((name) => !this.#given.has(name));
    if (missing.length === 0) return;
    const names = missing.map((name) => `--${name}`).join(', ');
    const wanted = missing.length > 1 ? 'values' : 'a value';
    throw new UserError(`${names}: missing, wanted ${wanted} as mstar ${this.#verb} --help shows`);
  }

  /** Goes through the words as yargs does; gives those that belong to no flag. */
  #readWords(): string[] {
    const words = this.#words;
    // No flag: anything without a dash, a negative number.
    const isValue = (word: string | undefined): boolean =>
      word !== undefined && (!word.startsWith('-') || /^-\.?\d/.test(word));
    const positionals: string[] = [];
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
      const name = this.#nameOf(flag);
      const isList = this.#options.array.includes(name);
      if (this.#given.has(name) && !isList) throw new UserError(`${flag}: given twice, wanted once`);
      this.#given.add(name);
      const values = equals < 0 ? [] : [word.slice(equals + 1)];
      if (this.#options.boolean.includes(name)) {
        const next = words[i + 1] ?? '';
        if (equals < 0 && /^(true|false|yes|no|on|off|0|1)$/i.test(next)) values.push(words[++i] as string);
        const [value] = values;
        if (value !== undefined && !['true', 'false'].includes(value))
          throw new UserError(`${flag}: ${value || 'empty'}, wanted true or false, or no value for true`);
        continue;
      }
      if (equals < 0) {
        const most = isList && this.#options.narg[name] === undefined ? Number.POSITIVE_INFINITY : 1;
        while (values.length < most && isValue(words[i + 1])) values.push(words[++i] as string);
      }
      this.#checkValues(flag, name, values, words[i + 1]);
    }
    return positionals;
  }

  /** The flag's name without dashes. */
  #nameOf(flag: string): string {
    const known = this.#known;
    const name = flag.replace(/^--?/, '');
    // Help shows a flag of one letter with one dash.
    if (known.includes(name) && (flag.startsWith('--') || name.length === 1)) return name;
    const negated = /^--no-(.+)$/.exec(flag)?.[1];
    if (negated !== undefined && this.#options.boolean.includes(negated)) return negated;
    const renamed = RENAMED[this.#verb]?.[name];
    if (renamed) throw new UserError(`${flag}: no longer a flag of mstar ${this.#verb}, wanted --${renamed}`);
    if (known.includes('set') && settingAt(name.split('.')))
      throw new UserError(`${flag}: a setting, wanted --set ${name}=VALUE`);
    const near = known.includes(name) ? name : nearestName(name, known);
    const wanted = near ? `did you mean --${near}?` : `wanted one that mstar ${this.#verb} --help lists`;
    throw new UserError(`${flag}: unknown flag, ${wanted}`);
  }

  #checkValues(flag: string, name: string, values: readonly string[], next: string | undefined): void {
    if (values.length === 0) {
      const dashed = next !== undefined && next !== '--' ? ` (one that begins with a dash as ${flag}=VALUE)` : '';
      throw new UserError(`${flag}: no value, wanted one${dashed}`);
    }
    for (const value of values) {
      if (value === '') throw new UserError(`${flag}: empty, wanted a value, or the flag left out`);
      if (this.#options.number.includes(name) && (value.trim() === '' || !Number.isFinite(Number(value))))
        throw new UserError(`${flag}: ${value}, wanted a number`);
      this.#checkChoice(flag, name, value);
    }
  }

  #checkChoice(what: string, name: string, value: string): void {
    const choices = this.#options.choices[name];
    if (choices && !choices.includes(value))
      throw new UserError(`${what}: ${value}, wanted one of ${choices.join(', ')}`);
  }

  /** Refuses words in the places of the verb, and adds their names to those given. Returns the first word that has no place. */
  #checkPositionals(found: readonly string[]): string | undefined {
    const [, ...slots] = this.#usage.split(' ');
    for (const [i, slot] of slots.entries()) {
      const name = slot.replace(/[<>[\].]/g, '');
      const value = found[i];
      if (value === undefined) {
        const isNeeded = slot.startsWith('<') || this.#demanded.includes(name);
        if (isNeeded && !this.#given.has(name)) throw new UserError(`${name}: missing, wanted ${this.#typed()}`);
        continue;
      }
      if (value === '') throw new UserError(`${name}: empty, wanted ${this.#typed()}`);
      if (this.#given.has(name)) throw new UserError(`--${name}: given twice, wanted once`);
      this.#checkChoice(name, name, value);
      this.#given.add(name);
    }
    return slots.at(-1)?.includes('..') ? undefined : found[slots.length];
  }

  /** The usage as one types it: `mstar rollouts RUN SQL`. */
  #typed(): string {
    const slots = this.#usage.split(' ').slice(1);
    const words = slots.map((slot) => slot.replace(/[<>[\]]/g, '').replace('..', '...'));
    return ['mstar', this.#verb, ...words.map((word) => word.toUpperCase())].join(' ');
  }

  /** What to type instead of a word that has no place. */
  #insteadOf(extra: string): string {
    if (this.#words[this.#words.indexOf(extra) - 1] === '--json')
      return `--json: ${extra}, wanted no file: the result goes to standard output (--json > ${extra})`;
    let wanted = `${this.#typed()} and the flags that mstar ${this.#verb} --help lists`;
    if (this.#known.includes('set') && /^[\w.]+=/.test(extra)) wanted = `--set ${extra}`;
    else if (this.#known.includes('preset')) wanted = `--${/\.ya?ml$/.test(extra) ? 'config' : 'preset'} ${extra}`;
    return `${extra || 'empty word'}: not a flag of mstar ${this.#verb}, wanted ${wanted}`;
  }
}
