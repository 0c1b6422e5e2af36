// The problems of a job: read from a data set or made, and in a recipe cut into its parts.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Config } from '../config/schema.js';
import type { Problem } from '../core/types.js';
import { contentKeys } from '../data/content.js';
import { type ProblemSource, takeProblems } from '../data/given.js';
import { Forms, loadProblems, type ReadOptions } from '../data/problems.js';
import { apartFrom, type Splits, splitProblems } from '../data/splits.js';
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

/** The parts of the problems that the settings have made, once, in the run folder. */
export async function makeSplits(config: Config, run: Run, shown: Shown): Promise<Splits> {
  const { generate, outOfDomain } = config.data;
  if (!generate) throw new Error('no problems to make');
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
