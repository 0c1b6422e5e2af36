// Streams the records of a JSON list or of JSON lines from a file of any size, each with the line where it starts.
// Holds one record at a time; leaves the meaning of a record to others.
import { isUtf8 } from 'node:buffer';
import { openRegularFile } from '../core/files.js';
import type { Row } from './formats/rows.js';
import { type Fields, type Place, refuse, shown } from './refuse.js';

const LIMITS = { chunkBytes: 1 << 20, recordBytes: 1 << 20, depth: 64 };

const BYTE = {
  ...{ quote: 0x22, backslash: 0x5c, newline: 0x0a, colon: 0x3a, comma: 0x2c },
  ...{ openList: 0x5b, closeList: 0x5d, openObject: 0x7b, closeObject: 0x7d },
} as const;

/**
 * Reads `file`, which holds either one JSON list of objects or objects one after the other (JSON lines); which of the two
 * is told by the first character, not by the name.
 * Each is at the line of its first character, with its number as well where it shares this line with another one.
 * @throws UserError `file:line: ...` where the file cannot be read, is not UTF-8, is cut off, has a record that is not a
 * JSON object, nests deeper than 64, is over `maxBytes`, or names a key twice
 */
export async function* readRecords(file: string, maxBytes = LIMITS.recordBytes): AsyncGenerator<Row> {
  const { handle } = await openRegularFile(file);
  try {
    const scanner = new Scanner(file, maxBytes);
    const chunk = Buffer.allocUnsafe(LIMITS.chunkBytes);
    for (;;) {
      const { bytesRead } = await handle.read(chunk, 0, LIMITS.chunkBytes, null);
      if (bytesRead === 0) break;
      yield* scanner.scan(chunk.subarray(0, bytesRead));
    }
    scanner.finish();
  } finally {
    await handle.close();
  }
}

/** Finds the records in a sequence of chunks; only the bytes of an unfinished record are kept between chunks. */
class Scanner {
  readonly #file: string;
  readonly #maxBytes: number;
  /**
   * Where it stands between two records. `start`: nothing seen; `value`: a record must follow; `valueOrEnd`: after `[`;
   * `commaOrEnd`: after a record of a list; `lines`: between objects outside a list; `closed`: after `]`.
   */
  #state: 'start' | 'value' | 'valueOrEnd' | 'commaOrEnd' | 'lines' | 'closed' = 'start';
  #inList = false;
  #line = 1;
  #index = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;
  #pairs = 0;
  #recordLine = 0;
  /** Of the bracket that opens the list, or of the end of the record before. */
  #lineBefore = 0;
  #kept: Buffer[] = [];
  #keptBytes = 0;

  constructor(file: string, maxBytes: number) {
    this.#file = file;
    this.#maxBytes = maxBytes;
  }

  *scan(chunk: Buffer): Generator<Row> {
    let start = 0;
    // Inside a string, changes nothing of where the scanner stands.
    const isPlain = (byte: number): boolean => byte !== BYTE.quote && byte !== BYTE.backslash && byte !== BYTE.newline;
    const first = this.#state === 'start' && this.#depth === 0;
    const mark = first && chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf;
    for (let at = mark ? 3 : 0; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (byte === BYTE.newline) this.#line++;
      if (this.#depth === 0) {
        if (byte === 0x20 || byte === BYTE.newline || byte === 0x0d || byte === 0x09) continue;
        if (!this.#between(byte)) continue;
        this.#recordLine = this.#line;
        this.#depth = 1;
        this.#pairs = 0;
        start = at;
      } else if (this.#inString) {
        if (isPlain(byte) && !this.#escaped) while (at + 1 < chunk.length && isPlain(chunk[at + 1] as number)) at++;
        else if (this.#escaped) this.#escaped = false;
        else if (byte === BYTE.backslash) this.#escaped = true;
        else if (byte === BYTE.quote) this.#inString = false;
      } else if (byte === BYTE.quote) {
        this.#inString = true;
      } else if (byte === BYTE.openObject || byte === BYTE.openList) {
        if (++this.#depth > LIMITS.depth) this.#refuse('record', `nested deeper than ${LIMITS.depth}`, 'a flat record');
      } else if (byte === BYTE.closeObject || byte === BYTE.closeList) {
        if (--this.#depth > 0) continue;
        yield this.#take(chunk.subarray(start, at + 1));
        this.#lineBefore = this.#line;
        this.#state = this.#inList ? 'commaOrEnd' : 'lines';
      } else if (byte === BYTE.colon) {
        this.#pairs++;
      }
    }
    if (this.#depth > 0) this.#keep(Buffer.from(chunk.subarray(start)));
  }

  finish(): void {
    if (this.#depth > 0) this.#refuse('record', 'cut off by the end of the file', 'a whole record');
    if (this.#inList && this.#state !== 'closed') {
      refuse(this.#here(), 'list', 'cut off by the end of the file', 'a closing ]');
    }
    if (this.#index === 0) refuse(this.#here(), 'file', 'no record', 'at least one');
  }

  /** Handles a byte outside records; true where it opens a record. */
  #between(byte: number): boolean {
    const state = this.#state;
    if (state === 'start' && byte === BYTE.openList) {
      this.#inList = true;
      this.#lineBefore = this.#line;
      this.#state = 'valueOrEnd';
    } else if (byte === BYTE.closeList && (state === 'valueOrEnd' || state === 'commaOrEnd')) {
      this.#state = 'closed';
    } else if (byte === BYTE.comma && state === 'commaOrEnd') {
      this.#state = 'value';
    } else if (byte === BYTE.openObject && state !== 'commaOrEnd' && state !== 'closed') {
      return true;
    } else {
      const wanted = { commaOrEnd: ', or ]', closed: 'nothing after the list' }[state as string] ?? 'an object';
      const found = byte > 0x20 && byte < 0x7f ? shown(String.fromCharCode(byte)) : `byte 0x${byte.toString(16)}`;
      refuse(this.#here(), 'record', found, wanted);
    }
    return false;
  }

  #keep(bytes: Buffer): void {
    this.#kept.push(bytes);
    this.#keptBytes += bytes.length;
    if (this.#keptBytes > this.#maxBytes) {
      this.#refuse('record', `over ${this.#maxBytes} bytes`, `at most ${this.#maxBytes}`);
    }
  }

  #take(tail: Buffer): Row {
    this.#keep(tail);
    const bytes = this.#kept.length === 1 ? tail : Buffer.concat(this.#kept);
    this.#kept = [];
    this.#keptBytes = 0;
    if (!isUtf8(bytes)) this.#refuse('record', 'not UTF-8', 'UTF-8 text');
    let value: unknown;
    try {
      value = JSON.parse(bytes.toString('utf8'));
    } catch {
      this.#refuse('record', 'not JSON', 'a JSON object');
    }
    // JSON.parse keeps the last of two equal keys without a word; then fewer pairs come out than colons went in.
    if (Scanner.#pairsIn(value) !== this.#pairs) this.#refuse('record', 'a key that stands twice', 'every key once');
    const at = this.#place();
    // The scanner only lets a record begin with a brace.
    return { index: this.#index++, at, value: value as Fields };
  }

  /** Of the record that is being read. A whole list in one line is common: its line tells no record. */
  #place(): Place {
    const line = this.#recordLine;
    return { file: this.#file, line, ...(line === this.#lineBefore && { record: this.#index + 1 }) };
  }

  #here(): Place {
    return { file: this.#file, line: this.#line };
  }

  #refuse(field: string, found: string, wanted: string): never {
    refuse(this.#place(), field, found, wanted);
  }

  static #pairsIn(value: unknown): number {
    if (typeof value !== 'object' || value === null) return 0;
    const children = Object.values(value);
    return children.reduce<number>(
      (sum, child) => sum + Scanner.#pairsIn(child),
      Array.isArray(value) ? 0 : children.length,
    );
  }
}
