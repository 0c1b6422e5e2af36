// The documents of the project and the blocks of code in them.
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');

const inFolder = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name))
    .sort();

/** Paths from the root: the pages at the root, docs/ and examples/. */
export const documents = ['README.md', 'CONTRIBUTING.md', ...inFolder('docs'), ...inFolder('examples')];

export const textOf = (document: string): string => readFileSync(join(root, document), 'utf8');

export interface Block {
  readonly document: string;
  /** 1-based, of the first line of the code. */
  readonly line: number;
  readonly language: string;
  readonly code: string;
}

/** Every fenced block of a document, those of plain text (`text`: trees, formulas, diagrams) among them. */
export function blocksOf(document: string): Block[] {
  const text = textOf(document);
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(({ index, 1: language = '', 2: code = '' }) => ({
    document,
    line: text.slice(0, index).split('\n').length + 1,
    language,
    code,
  }));
}
