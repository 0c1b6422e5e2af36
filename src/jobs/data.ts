// The problems of a job: read from a data set or made, and in a recipe cut into its parts.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { located } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { UserError } from '../core/errors.js';
import type { Problem } from '../core/types.js';
import { contentKeys, digestProblems } from '../data/content.js';
import { type ProblemSource, takeProblems } from '../data/given.js';
import { Forms, loadProblems, openExamples, type ReadOptions, type WrittenExample } from '../data/problems.js';
import { readSolutions } from '../data/solutions.js';
import { apartFrom, type Splits, splitProblems } from '../data/splits.js';
import type { Given } from '../evolve/job.js';
import { type FindOptions, findPlaces, type Places } from '../hub/places.js';
import { writeProblems } from '../problems/write.js';
import { putDurable } from '../run/durable.js';
import type { Run } from '../run/folder.js';
import { type Display, silent } from '../run/terminal.js';

interface Shown {
  readonly display?: Display;
}

const MOST_WARNINGS = 5;

/** Says the first of many warnings, and how many more there were. */
class Warnings {
  readonly #display: Display;
  #count = 0;

  constructor(display: Display = silent) {
    this.#display = display;
  }

  readonly add = (text: string): void => {
    if (++this.#count <= MOST_WARNINGS) this.#display.say(`warning: ${text}`);
  };

  end(file: string): void {
    if (this.#count > MOST_WARNINGS)
      this.#display.say(`warning: ${this.#count - MOST_WARNINGS} more of these in ${file}`);
  }
}

/** How to read a data set, as settings say; without a root, pictures lie beside the file. */
export type Reading = Partial<
  Pick<ReadOptions, 'imageRoot' | 'linkRoot' | 'format' | 'columns' | 'hints' | 'onMissingPicture'>
>;

/** All problems of a data set, or the first `limit`. Odd records are said, five at most, and problems without a picture. */
export async function readData(
  file: string,
  { imageRoot = dirname(file), linkRoot, format, columns, hints, onMissingPicture }: Reading,
  { display = silent }: Shown,
  limit?: number,
): Promise<Problem[]> {
  const warnings = new Warnings(display);
  const forms = new Forms();
  const how = { imageRoot, linkRoot, format, columns, hints, limit, onWarning: warnings.add, onFormat: forms.onFormat };
  const problems = await loadProblems(file, { ...how, ...(onMissingPicture && { onMissingPicture }) });
  warnings.end(file);
  for (const problem of problems) forms.add(problem);
  for (const line of forms.lines()) display.say(`data: ${line}`);
  return problems;
}

/** All problems that a program gives, or the first `limit`; warnings as for those of a data set. */
export async function readGiven(source: ProblemSource, shown: Shown, limit?: number): Promise<Problem[]> {
  const warnings = new Warnings(shown.display);
  const problems = await takeProblems(source, warnings.add, limit);
  warnings.end('problems');
  return problems;
}

/** The parts of the problems that a program gives, or of the data set that the settings name. */
export async function readSplits(config: Config, shown: Shown, given?: ProblemSource): Promise<Splits> {
  const { file, outOfDomain } = config.data;
  if (file === undefined) throw new Error('no data set to read');
  const problems = given ? await readGiven(given, shown) : await readData(file, config.data, shown);
  return split(config, problems, outOfDomain ? await readOutOfDomain(outOfDomain, shown) : [], shown);
}

async function readOutOfDomain(set: NonNullable<Config['data']['outOfDomain']>, shown: Shown) {
  if (set.file === undefined) throw new Error('no out-of-domain data set to read');
  return readData(set.file, set, shown);
}

/** What the settings give in place of sampled responses; undefined where they give nothing. */
export async function readWritten({ warmup, prm }: Config): Promise<Given | undefined> {
  const { from, enabled } = warmup;
  const { labels } = prm;
  if (!(from && enabled) && !labels) return undefined;
  const examples: WrittenExample[] = [];
  if (from && enabled) {
    const reading = { ...from, imageRoot: from.imageRoot ?? dirname(from.file) };
    for await (const example of openExamples(from.file, reading)) examples.push(example);
  }
  const rooted = labels && { ...labels, imageRoot: labels.imageRoot ?? dirname(labels.file) };
  const solutions = rooted && (await readSolutions(rooted.file, rooted));
  return { ...(examples.length > 0 && { examples }), ...(solutions && { solutions }) };
}

/**
 * Takes out what tells the answer of a problem that training must not see: those of the test, the validation, the out-of-domain set and those
 * without answers, by contents.
 */
export async function withoutHidden(given: Given, data: Splits, { display = silent }: Shown): Promise<Given> {
  const hidden = [...data.unlabelled, ...data.validation, ...data.test, ...data.outOfDomain];
  const { examples, solutions } = given;
  const own = [...(examples ?? []), ...(solutions ?? [])].map(({ problem }) => problem);
  const keyOf = await contentKeys([...hidden, ...own]);
  const keys = new Set(hidden.map(keyOf));
  const apart = <T extends { readonly problem: Problem }>(setting: string, all: readonly T[] | undefined) => {
    if (!all) return undefined;
    const kept = all.filter(({ problem }) => !keys.has(keyOf(problem)));
    const dropped = all.length - kept.length;
    if (dropped > 0)
      display.say(
        `${setting}: ${dropped} of ${all.length} are of problems whose answers are hidden here and were dropped`,
      );
    if (kept.length === 0) throw new UserError(`${setting}: nothing is left of ${all.length}, wanted at least one`);
    return kept;
  };
  return { examples: apart('warmup.from', examples), solutions: apart('prm.labels', solutions) };
}

/** SHA-256, in hex, over the given responses and over the given labels with their questions, by the setting that names them. */
export function digestGiven({ examples, solutions }: Given): Readonly<Record<string, string>> {
  return {
    ...(examples && {
      'warmup.from': digestProblems(examples.map(({ problem, response }) => ({ ...problem, answer: response }))),
    }),
    ...(solutions && {
      'prm.labels': digestProblems(
        solutions.map(({ problem, steps, labels }) => ({ ...problem, answer: JSON.stringify([steps, labels]) })),
      ),
    }),
  };
}

/** The parts of the problems that the settings have made, once, in the run folder. */
export async function makeSplits(config: Config, run: Run, shown: Shown): Promise<Splits> {
  const { generate, outOfDomain } = config.data;
  // A PRM alone is trained without problems.
  if (!generate) return { labelled: [], unlabelled: [], validation: [], test: [], outOfDomain: [] };
  const make = async (name: string, what: typeof generate): Promise<Problem[]> => {
    const dir = join(run.dir, name);
    if (run.isFresh || !existsSync(dir)) {
      run.progress.say(`making ${what.count} problems`);
      await putDurable(dir, async (aside) => {
        await writeProblems(aside, { ...what, seed: what.seed ?? config.seed });
      });
    }
    return readData(join(dir, 'problems.json'), { imageRoot: join(dir, 'data_images') }, shown);
  };
  const problems = await make('problems', generate);
  if (outOfDomain === undefined) return split(config, problems, [], shown);
  const other = outOfDomain.generate
    ? await make('problems-out-of-domain', outOfDomain.generate)
    : await readOutOfDomain(outOfDomain, shown);
  return split(config, problems, other, shown);
}

/** A picture that lies there under two names is one picture. */
async function split(
  { splits, seed, data }: Config,
  problems: readonly Problem[],
  outOfDomain: Problem[],
  { display = silent }: Shown,
): Promise<Splits> {
  const keyOf = await contentKeys([...problems, ...outOfDomain], (files) =>
    display.say(`comparing ${files} pictures of equal questions, so that no problem is in two parts`),
  );
  const repeats = data.outOfDomain?.repeats ?? 'refuse';
  const apart = apartFrom(outOfDomain, problems, keyOf, repeats, (count) =>
    display.say(`data: ${count} of ${problems.length} problems are in the out-of-domain set too and were dropped`),
  );
  return { ...splitProblems(apart, splits, splits.seed ?? seed, keyOf), outOfDomain };
}

/** The same settings with every path in its place. Throws UserError where one of the hub cannot be found. */
export async function findAll(config: Config, options: FindOptions): Promise<{ places: Places; config: Config }> {
  const paths: string[] = [];
  located(config, (path) => {
    paths.push(path);
    return path;
  });
  const places = await findPlaces(paths, options);
  const linked = <T extends { linkRoot?: string[] | undefined }>(set: T): T =>
    places.links.length === 0 ? set : { ...set, linkRoot: [...(set.linkRoot ?? []), ...places.links] };
  return { places, config: located(config, places.of, linked) };
}
