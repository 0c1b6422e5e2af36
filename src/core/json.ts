// Reads JSON from files of unknown origin: size and depth are bounded, and no key may stand twice.

import { UserError } from './errors.js';
import { readRegularFile } from './files.js';

/** Values: they bound the memory that the parsed document takes. */
const MOST = { bytes: 64 * 2 ** 20, depth: 64, values: 4_000_000 };

/** Reads and parses a JSON file. Throws UserError. */
export async function readJson(file: string): Promise<unknown> {
  return parseJson(await readRegularFile(file, MOST.bytes), file);
}

/** Parses the bytes of `file` (named in messages only). Throws UserError. */
export function parseJson(bytes: Uint8Array, file: string): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new UserError(`${file}: document: bytes that are not UTF-8, wanted JSON`);
  }
  checkStructure(text, file);
  try {
    return JSON.parse(text);
  } catch (error) {
    const position = /position (\d+)/.exec((error as Error).message)?.[1];
    const line = position === undefined ? '' : `:${lineOf(text, Number(position))}`;
    throw new UserError(`${file}${line}: document: a syntax error, wanted JSON`);
  }
}

/** Walks the text without parsing it: strings are keys where a colon follows. */
function checkStructure(text: string, file: string): void {
  const open: Set<string>[] = [];
  let values = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if ((char === ',' || char === '{' || char === '[') && ++values > MOST.values) {
      throw new UserError(`${file}: document: more than ${MOST.values} values, wanted fewer`);
    }
    if (char === '{' || char === '[') {
      if (open.length === MOST.depth)
        throw new UserError(`${file}:${lineOf(text, at)}: document: nested deeper than ${MOST.depth}`);
      open.push(new Set());
    } else if (char === '}' || char === ']') {
      open.pop();
    } else if (char === '"') {
      const start = at++;
      while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
      const raw = text.slice(start + 1, at);
      let next = at + 1;
      while (text[next] === ' ' || text[next] === '\n' || text[next] === '\r' || text[next] === '\t') next++;
      if (text[next] !== ':') continue;
      let key = raw;
      try {
        if (raw.includes('\\')) key = JSON.parse(`"${raw}"`) as string;
      } catch {
        // JSON.parse says of the whole document what is wrong.
      }
      const keys = open.at(-1);
      if (keys?.has(key))
        throw new UserError(`${file}:${lineOf(text, start)}: ${JSON.stringify(key)}: given twice, wanted once`);
      keys?.add(key);
    }
  }
}

function lineOf(text: string, position: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < position; at = text.indexOf('\n', at + 1)) line++;
  return line;
}

/** What stands at a path of plain data; undefined where nothing does. */
export function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | null | undefined)?.[key], value);
}
