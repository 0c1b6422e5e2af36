// Streams the rows of a text table whose cells stand between tabs, commas or semicolons, some of them in quotes (RFC
// 4180), each with the line where it starts. DuckDB, which reads Parquet here, loses every row behind a quote that
// nobody closes, and says nothing.
import { openRegularFile } from '../core/files.js';
import type { Row } from './formats/rows.js';
import { type Place, refuse, shown } from './refuse.js';

/**
 * Rows in order, their cells, which are all texts, by the names of the first row; a line without anything in it is none.
 * @throws UserError `file:line: ...` where a row is over `maxLength`, has not the cells of the first, or a quote is not closed
 */
export async function* readSeparated(file: string, maxLength: number): AsyncGenerator<Row> {
  let names: readonly string[] | undefined;
  let index = 0;
  for await (const { cells, at } of records(file, maxLength)) {
    if (cells.length === 1 && cells[0] === '') continue;
    if (names === undefined) {
      const twice = cells.find((name, i) => cells.indexOf(name) < i);
      if (twice !== undefined) refuse(at, 'header', `${shown(twice)} twice`, 'every name once');
      names = cells;
      continue;
    }
    if (cells.length !== names.length)
      refuse(
        at,
        'row',
        `${cells.length} cells`,
        `${names.length} as in the header (a cell with a separator needs quotes)`,
      );
    const entries = names.map((name, i): [string, string] => [name, cells[i] as string]);
    yield { index: index++, at, value: Object.fromEntries(entries) };
  }
  if (index === 0) refuse({ file, line: 1 }, 'file', 'no row', 'at least one');
}

async function* records(
  file: string,
  maxLength: number,
): AsyncGenerator<{ readonly cells: string[]; readonly at: Place }> {
  const { handle } = await openRegularFile(file);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const chunk = Buffer.allocUnsafe(1 << 20);
  let separator: string | undefined;
  let line = 1;
  let rest = '';
  try {
    for (let ended = false; !ended; ) {
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, null);
      ended = bytesRead === 0;
      try {
        rest += decoder.decode(chunk.subarray(0, bytesRead), { stream: !ended });
      } catch {
        const readable = rest + new TextDecoder().decode(chunk.subarray(0, bytesRead));
        const wrong = line + count(readable, '\n', readable.indexOf('\ufffd'));
        refuse({ file, line: wrong }, 'file', 'not UTF-8', 'UTF-8 text');
      }
      if (separator === undefined) {
        // By the first line: a tab, or whichever of comma and semicolon it has more of.
        const head = rest.split('\n', 1)[0] as string;
        const [tabs = 0, semicolons = 0, commas = 0] = ['\t', ';', ','].map((sign) => count(head, sign, head.length));
        separator = tabs > 0 ? '\t' : semicolons > commas ? ';' : ',';
      }
      let start = 0;
      while (start < rest.length) {
        const found = takeRow(rest, start, separator, ended, { file, line });
        if (!found) break;
        yield { cells: found.cells, at: { file, line } };
        line += count(rest, '\n', found.end, start);
        start = found.end;
      }
      rest = rest.slice(start);
      if (rest.length > maxLength)
        refuse({ file, line }, 'row', `over ${maxLength} characters`, 'quotes that are closed');
    }
  } finally {
    await handle.close();
  }
}

/** The row that starts at `start`, and where the next one does; undefined where more of the file is needed to tell. */
function takeRow(text: string, start: number, separator: string, ended: boolean, at: Place) {
  const stop = new RegExp(`[${separator}\n]`, 'g');
  const cells: string[] = [];
  for (let place = start; ; ) {
    const quoted = text[place] === '"';
    // The quote that ends the cell; below 0 where there is none.
    let close = quoted ? text.indexOf('"', place + 1) : place - 1;
    while (quoted && close >= 0 && text[close + 1] === '"') close = text.indexOf('"', close + 2);
    if (quoted && close < 0 && ended) refuse(at, 'row', 'a quote that is not closed', 'a closing "');
    if (quoted && (close < 0 || (close + 1 === text.length && !ended))) return undefined;
    stop.lastIndex = close + 1;
    const found = stop.exec(text)?.index ?? text.length;
    if (found === text.length && !ended) return undefined;
    const bare = text.slice(close + 1, found);
    const plain = text[found] === separator || !bare.endsWith('\r') ? bare : bare.slice(0, -1);
    if (quoted && plain !== '')
      refuse(at, 'row', `${shown(plain)} behind a closing quote`, 'a separator (a quote inside quotes is doubled)');
    cells.push(quoted ? text.slice(place + 1, close).replaceAll('""', '"') : plain);
    if (text[found] !== separator) return { cells, end: Math.min(found + 1, text.length) };
    place = found + 1;
  }
}

function count(text: string, sign: string, end: number, start = 0): number {
  let found = 0;
  for (let place = text.indexOf(sign, start); place >= 0 && place < end; place = text.indexOf(sign, place + 1)) found++;
  return found;
}
