// Tells problems apart by what they hold: question text and bytes of the pictures, whatever files or rows these lie in.
// Reads no more pictures than the answer needs.
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { readRegularFile } from '../core/files.js';
import { groupBy } from '../core/lists.js';
import type { ImageSource, Problem } from '../core/types.js';

/** Equal keys, equal problems. */
export type KeyOf = (problem: Problem) => string;

/**
 * Keys by content for a list of problems. Two of them can only be equal where their questions are the same text and their
 * pictures as long as each other's, so only such picture files are read, each once; all others keep their path as their name.
 * A file that is gone keeps its path too.
 * @param onWork told before the reading how many files that will be
 * @throws UserError where a picture file cannot be read
 */
export async function contentKeys(problems: readonly Problem[], onWork?: (files: number) => void): Promise<KeyOf> {
  // Bytes of an encoded picture; undefined where its file is gone. A file is looked at once.
  const sizes = new Map<string, number | undefined>();
  const sizeOf = (image: ImageSource): number | undefined => {
    if (!('path' in image)) return image.bytes.length;
    if (!sizes.has(image.path)) sizes.set(image.path, statSync(image.path, { throwIfNoEntry: false })?.size);
    return sizes.get(image.path);
  };
  // A picture in memory has an empty path, so that it is told from any file's.
  const pathsOf = ({ images }: Problem): string[] => images.map((image) => ('path' in image ? image.path : ''));
  const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
  const alike = groups(problems, ({ question, images }) => JSON.stringify([question, ...images.map(sizeOf)]));
  const paths = new Set<string>();
  for (const group of alike) {
    if (new Set(group.map(pathsOf).map((list) => list.join('\0'))).size < 2) continue;
    for (const path of group.flatMap(pathsOf)) if (sizes.get(path) !== undefined) paths.add(path);
  }
  if (paths.size > 0) onWork?.(paths.size);
  const digests = new Map<string, string>();
  for (const path of paths) digests.set(path, digestOf(await readRegularFile(path, 64 * 2 ** 20)));
  const name = (image: ImageSource): string =>
    'path' in image ? (digests.get(image.path) ?? image.path) : digestOf(image.bytes);
  return ({ images, question }) => [...images.map(name), question].join('\0');
}

/** Problems of equal key together, in order of first appearance. */
export function groups(problems: readonly Problem[], keyOf: KeyOf): Problem[][] {
  return [...groupBy(problems, keyOf).values()];
}

/** SHA-256, in hex, over ids, questions and answers in order; pictures and where the files lie do not count. */
export function digestProblems(problems: readonly Problem[]): string {
  const hash = createHash('sha256');
  for (const { id, question, answer, choices } of problems)
    hash.update(`${JSON.stringify([id, question, answer, choices])}\n`);
  return hash.digest('hex');
}
