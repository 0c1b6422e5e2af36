// Writes generated problems as a MathV360K data set: one JSON list and PNG files.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { makeFolder } from '../core/files.js';
import { inGroups } from '../core/lists.js';
import { families } from './families.js';
import { defaultKnobs, generateProblem, type Knobs, type PictureProblem } from './problem.js';

/** Which problems to make: as many as `count`, drawn by `seed`. */
export interface WriteOptions extends Partial<Knobs> {
  readonly count: number;
  readonly seed: number;
  /** Families to take turns; all where absent. */
  readonly families?: readonly string[];
  /** Number of the first problem: another range of the same seed gives other problems. */
  readonly first?: number;
}

/** Where the problems are. */
export interface Written {
  /** The JSON list. */
  readonly file: string;
  /** Folder that its image paths start from. */
  readonly imageRoot: string;
  readonly count: number;
}

/** A MathV360K record with two extra keys: `id`, and `truth` as in core/types.ts. */
interface Row {
  readonly id: string;
  readonly image: string;
  readonly conversations: readonly { readonly from: 'human' | 'gpt'; readonly value: string }[];
  readonly truth: PictureProblem['truth'];
}

/** Pictures that are drawn and packed at the same time. */
const AT_ONCE = 32;

/** Problem number `index` of a data set: the families take turns. */
export function problemAt(options: WriteOptions, index: number): { family: string; problem: PictureProblem } {
  const names = options.families ?? Object.keys(families);
  const family = names[index % names.length] as string;
  const knobs: Knobs = {
    range: options.range ?? defaultKnobs.range,
    choiceShare: options.choiceShare ?? defaultKnobs.choiceShare,
  };
  return { family, problem: generateProblem(family, options.seed, index, knobs) };
}

/** Writes `dir/problems.json` and `dir/data_images/<family>/images/*.png`; the same options give the same bytes. */
export async function writeProblems(dir: string, options: WriteOptions): Promise<Written> {
  const imageRoot = join(dir, 'data_images');
  for (const family of options.families ?? Object.keys(families)) {
    await makeFolder(join(imageRoot, family, 'images'));
  }
  const first = options.first ?? 0;
  const rows: Row[] = [];
  const all = Array.from({ length: options.count }, (_, i) => first + i);
  for await (const indices of inGroups(all, AT_ONCE)) {
    // None is still being written when this fails.
    const written = await Promise.allSettled(indices.map((index) => writePicture(imageRoot, options, index)));
    for (const one of written) {
      if (one.status === 'rejected') throw one.reason;
      rows.push(one.value);
    }
  }
  const file = join(dir, 'problems.json');
  await writeFile(file, `[\n${rows.map((row) => JSON.stringify(row)).join(',\n')}\n]\n`);
  return { file, imageRoot, count: rows.length };
}

/** Writes the picture of a problem and gives its record. */
async function writePicture(imageRoot: string, options: WriteOptions, index: number): Promise<Row> {
  const { family, problem } = problemAt(options, index);
  const number = String(index).padStart(6, '0');
  const image = `${family}/images/${number}.png`;
  const { width, height } = problem;
  await sharp(problem.rgb, { raw: { width, height, channels: 3 } })
    .png()
    .toFile(join(imageRoot, image));
  const conversations = [
    { from: 'human' as const, value: `<image>\n${problem.question}` },
    { from: 'gpt' as const, value: `The answer is ${problem.answer}` },
  ];
  return { id: `${family}-${number}`, image, conversations, truth: problem.truth };
}
