// From a recipe file or preset and --set overrides to one checked Config; every refusal names file, line and setting.
import { join, resolve } from 'node:path';
import { isNode, LineCounter, YAMLMap } from 'yaml';
import { z } from 'zod';
import { UserError } from '../core/errors.js';
import { readRegularFile } from '../core/files.js';
import { valueAt } from '../core/json.js';
import { newNameOf } from '../core/renamed.js';
import { readDocument, readYaml } from '../core/yaml.js';
import { explainIssue } from './explain.js';
import { packageRoot, presetFiles } from './presets.js';
import { type Config, type ConfigInput, configSchema, needsPrm } from './schema.js';
import { nearestSettings, settingAt } from './settings.js';

/** Starts a path inside this package, for example `mstar:assets/tiny-internvl2`. */
export const PACKAGE_PREFIX = 'mstar:';
/** Starts the name of a model or a data set on the Hugging Face hub, for example `hf:Qwen/Qwen3-VL-2B-Instruct`. */
const HUB_PREFIX = 'hf:';
/** Stands where the name of a data set does, in jobs whose problems a program gives. */
export const GIVEN = `${PACKAGE_PREFIX}given`;

/** Where settings come from; a preset is a recipe of this package. */
export interface ConfigSource {
  readonly file?: string;
  readonly preset?: string;
  /** Settings to begin with where neither is given. */
  readonly values?: Readonly<Record<string, unknown>>;
  /** Settings (dotted names) that flags of a verb stand for, as text; refusals name the flag. */
  readonly flags?: Readonly<Record<string, { readonly flag: string; readonly text: string }>>;
  /** Overrides `a.b=c` in order; `a.b=null` takes a setting out. */
  readonly set?: readonly string[];
}

/**
 * Reads, overrides and checks. Paths are made absolute from the working directory; `mstar:` and `hf:` ones stay as they are, so that
 * what a run keeps of them holds wherever this package and the cache of the hub lie.
 * @throws UserError `file[:line]: setting: found, wanted`
 */
export async function loadConfig(source: ConfigSource): Promise<Config> {
  if (source.file !== undefined && source.preset !== undefined) {
    throw new UserError('--config: given beside --preset, wanted one of them', 'ERR_SETTING');
  }
  const { values, lineOf } = await readSource(source);
  const overrides: Override[] = [
    ...Object.entries(source.flags ?? {}).map(([name, { flag, text }]) => ({
      by: flag,
      path: name.split('.'),
      value: text,
    })),
    ...(source.set ?? []).map(parseOverride),
  ];
  for (const { path, value } of overrides) {
    let group = values;
    for (const name of path.slice(0, -1)) {
      const inner = group[name];
      const next = isGroup(inner) ? inner : {};
      group[name] = next;
      group = next;
    }
    const leaf = path.at(-1) as string;
    if (value === null) delete group[leaf];
    else group[leaf] = value;
  }
  const startsWith = (path: readonly string[], head: readonly string[]): boolean =>
    head.every((name, i) => path[i] === name);
  const place = (path: readonly string[]): string => {
    const override = overrides.findLast((one) => startsWith(path, one.path) || startsWith(one.path, path));
    return override?.by ?? lineOf(path);
  };
  return check(values, place);
}

/** Checks settings that a program gives as an object. */
export function resolveConfig(input: ConfigInput): Config {
  return check(input, () => 'settings');
}

export function isOnHub(path: string): boolean {
  return path.startsWith(HUB_PREFIX);
}

/**
 * Absolute form of a path from a recipe: `mstar:` ones start at this package, and `mstar:tiny` is its embedded model. Names on the
 * hub stay as they are: where these lie takes more to find (src/hub/places.ts).
 */
export function resolvePath(path: string): string {
  if (isOnHub(path)) return path;
  if (path === `${PACKAGE_PREFIX}tiny`) return join(packageRoot, 'assets/tiny-internvl2');
  return path.startsWith(PACKAGE_PREFIX) ? join(packageRoot, path.slice(PACKAGE_PREFIX.length)) : resolve(path);
}

/** The form of a path that a run keeps. */
export function keptPath(path: string): string {
  return path.startsWith(PACKAGE_PREFIX) || isOnHub(path) ? path : resolve(path);
}

type Named = Pick<Config['data'], 'file' | 'imageRoot' | 'linkRoot'>;

/**
 * The same settings with every path in another form, the absolute one when left out.
 * @param also what else becomes of each data set that is named, whatever it is for
 */
export function located(
  config: Config,
  form: (path: string) => string = resolvePath,
  also: <T extends Named>(set: T) => T = (set) => set,
): Config {
  const { run, model, data, prm, warmup } = config;
  const { outOfDomain } = data;
  const placed = <T extends Named>(set: T): T =>
    also({
      ...set,
      ...(set.file !== undefined && { file: form(set.file) }),
      ...(set.imageRoot !== undefined && { imageRoot: form(set.imageRoot) }),
      ...(set.linkRoot !== undefined && { linkRoot: set.linkRoot.map(form) }),
    });
  return {
    ...config,
    run: { ...run, dir: resolvePath(run.dir) },
    model: { ...model, path: form(model.path) },
    warmup: { ...warmup, ...(warmup.from && { from: placed(warmup.from) }) },
    prm: {
      ...prm,
      ...(prm.path !== undefined && { path: form(prm.path) }),
      ...(prm.labels && { labels: placed(prm.labels) }),
    },
    data: { ...placed(data), ...(outOfDomain && { outOfDomain: placed(outOfDomain) }) },
  };
}

/** Settings of a preset as a recipe file would have them. Throws UserError where there is none of the name. */
export async function readPreset(name: string): Promise<Readonly<Record<string, unknown>>> {
  return (await readSource({ preset: name })).values;
}

async function readSource({ file, preset, values: own }: ConfigSource): Promise<Recipe> {
  if (file === undefined && preset === undefined && own) return { values: merge({}, own), lineOf: () => 'settings' };
  const files = preset === undefined ? [file] : await presetFiles(preset);
  const recipes: Recipe[] = [];
  for (const one of files) {
    if (one === undefined)
      throw new UserError(
        '--config: missing, wanted a recipe file (mstar init writes one), or --preset with a name (mstar preset list)',
        'ERR_SETTING',
      );
    recipes.push(await readRecipe(one));
  }
  const values = recipes.reduce<Record<string, unknown>>((all, recipe) => merge(all, recipe.values), {});
  // The folder of a preset's run has its name.
  if (preset !== undefined) merge(values, { run: { dir: `runs/${preset}`, ...(values.run as object | undefined) } });
  const holds = ({ values: own }: Recipe, path: readonly string[]): boolean => valueAt(own, path) !== undefined;
  return {
    values,
    lineOf: (path) => (recipes.findLast((one) => holds(one, path)) ?? (recipes.at(-1) as Recipe)).lineOf(path),
  };
}

/** Puts settings over others, group by group; lists and single values replace what was there. */
function merge(under: Record<string, unknown>, over: Readonly<Record<string, unknown>>): Record<string, unknown> {
  for (const [key, value] of Object.entries(over)) {
    const inner = Object.hasOwn(under, key) ? under[key] : undefined;
    const merged = isGroup(value) ? merge(isGroup(inner) ? inner : {}, value) : value;
    // As an own property whatever its name: assigning to __proto__ would reach every object.
    Object.defineProperty(under, key, { value: merged, enumerable: true, writable: true, configurable: true });
  }
  return under;
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

interface Recipe {
  readonly values: Record<string, unknown>;
  /** `file:line` of a setting, or of the nearest group around it that the file holds. */
  lineOf(path: readonly string[]): string;
}

async function readRecipe(file: string): Promise<Recipe> {
  const text = new TextDecoder().decode(await readRegularFile(file, 2 ** 20));
  const lines = new LineCounter();
  const { value, document } = readDocument(text, file, 'recipe', lines);
  const values = withoutNulls(value ?? {});
  if (!isGroup(values)) throw new UserError(`${file}: recipe: not a mapping, wanted settings by group`, 'ERR_SETTING');
  const lineOf = (path: readonly string[]): string => {
    for (let length = path.length; length > 0; length--) {
      const parent = length > 1 ? document.getIn(path.slice(0, length - 1), true) : document.contents;
      const pair =
        parent instanceof YAMLMap
          ? parent.items.find((item) => String(item.key ?? '') === path[length - 1])
          : undefined;
      const range = pair && isNode(pair.key) ? pair.key.range : undefined;
      if (range) return `${file}:${lines.linePos(range[0]).line}`;
    }
    return file;
  };
  return { values, lineOf };
}

/** A group or a setting with nothing after its colon is left out, as after its lines were made comments. */
function withoutNulls(value: unknown): unknown {
  if (!isGroup(value)) return value;
  const kept = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutNulls(inner)]));
}

interface Override {
  /** What gives it, as a refusal names it. */
  readonly by: string;
  readonly path: readonly string[];
  readonly value: unknown;
}

/** `a.b=c`: the value is YAML (numbers, lists), but plain text where the setting is text. */
function parseOverride(text: string): Override {
  const equals = text.indexOf('=');
  const path = text.slice(0, Math.max(0, equals)).trim().split('.');
  if (equals < 0 || path.some((name) => name === '')) {
    throw new UserError(`--set ${text}: not an override, wanted name=value, for example evolve.n=16`, 'ERR_SETTING');
  }
  const type = settingAt(path);
  if (!type) throw new UserError(`--set ${text}: ${path.join('.')}: ${unknownSetting(path)}`, 'ERR_SETTING');
  const raw = text.slice(equals + 1);
  if (raw.trim() === '')
    throw new UserError(
      `--set ${text}: no value, wanted one; null takes the setting out, "" stands for empty text`,
      'ERR_SETTING',
    );
  const isText = type instanceof z.ZodString && raw !== 'null' && raw !== '""';
  return { by: `--set ${text}`, path, value: isText ? raw : readYaml(raw, `--set ${text}`, path.join('.')) };
}

function check(values: unknown, place: (path: readonly string[]) => string): Config {
  const checked = configSchema.safeParse(values);
  if (!checked.success) {
    const issues = checked.error.issues;
    const issue = issues.find((one) => one.code === 'unrecognized_keys') ?? (issues[0] as z.core.$ZodIssue);
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') {
      const unknown = [...path, issue.keys[0] as string];
      throw new UserError(`${place(unknown)}: ${unknown.join('.')}: ${unknownSetting(unknown)}`, 'ERR_SETTING');
    }
    throw new UserError(`${place(path)}: ${path.join('.')}: ${explainIssue(issue, values)}`, 'ERR_SETTING');
  }
  // The run keeps what it comes to: runs that differ in it share no more than their warm-up.
  const { prm } = checked.data;
  const enabled = prm.enabled === 'auto' ? needsPrm(checked.data) : prm.enabled;
  return located({ ...checked.data, prm: { ...prm, enabled } }, keptPath);
}

function unknownSetting(path: readonly string[]): string {
  const now = newNameOf(path.join('.'));
  if (now !== undefined) return `the name in earlier versions, wanted ${now}`;
  const near = nearestSettings(path);
  return near.length > 0
    ? `unknown setting, did you mean ${new Intl.ListFormat('en', { type: 'disjunction' }).format(near)}?`
    : 'unknown setting, wanted one that mstar evolve --settings lists';
}
