// Reads a SentencePiece model file (tokenizer.model): pieces and the flags that change how text is cut. What the flags
// ask for and this project cannot do is refused by name.
import { UserError } from '../core/errors.js';

/** By the number that a file has for them, less one. */
const KINDS = ['normal', 'unknown', 'control', 'userDefined', 'unused', 'byte'] as const;

export interface SentencePieceModel {
  /** Index is the id. */
  readonly pieces: readonly { readonly text: string; readonly score: number; readonly kind: (typeof KINDS)[number] }[];
  /** Characters outside the vocabulary become byte pieces. */
  readonly byteFallback: boolean;
  /** A space is put in front of the text. */
  readonly addDummyPrefix: boolean;
  /** Spaces are trimmed at both ends and runs of them made one. */
  readonly removeExtraWhitespaces: boolean;
}

// Far above any real vocabulary; together they bound memory for a damaged file.
const MAX_PIECES = 2 ** 21;
const MAX_PIECE_LENGTH = 1024;

/** Parses the bytes of `file` (named in messages only). Throws UserError. */
export function parseSentencePiece(bytes: Uint8Array, file: string): SentencePieceModel {
  const refuse = (fault: string): never => {
    throw new UserError(`${file}: ${fault}`);
  };
  const bytesOf = (value: number | Uint8Array, field: string): Uint8Array =>
    value instanceof Uint8Array ? value : refuse(`${field}: a number, wanted a message`);

  const parsePiece = (bytes: Uint8Array, id: number): SentencePieceModel['pieces'][number] => {
    const at = `pieces[${id}]`;
    let text = '';
    let score = 0;
    let kind: (typeof KINDS)[number] | undefined = 'normal';
    for (const { number, value } of fields(bytes)) {
      if (number === 1) {
        const spelling = bytesOf(value, `${at}.piece`);
        try {
          text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(spelling);
        } catch {
          refuse(`${at}.piece: bytes that are not UTF-8`);
        }
      } else if (number === 2) score = Number(value);
      else if (number === 3) kind = KINDS[Number(value) - 1];
    }
    if (text === '' || text.length > MAX_PIECE_LENGTH)
      refuse(`${at}.piece: ${text.length} characters, wanted 1 to ${MAX_PIECE_LENGTH}`);
    if (!Number.isFinite(score)) refuse(`${at}.score: ${score}, wanted a finite number`);
    return { text, score, kind: kind ?? refuse(`${at}.type: unknown, wanted 1 to 6`) };
  };

  const pieces: SentencePieceModel['pieces'][number][] = [];
  // Absent flags have the defaults of the format.
  const flags = { byteFallback: false, addDummyPrefix: true, removeExtraWhitespaces: true };
  let modelType = 1;
  try {
    for (const { number, value } of fields(bytes)) {
      if (number === 1) {
        if (pieces.length === MAX_PIECES) refuse(`pieces: more than ${MAX_PIECES}`);
        pieces.push(parsePiece(bytesOf(value, 'pieces'), pieces.length));
      } else if (number === 2) {
        for (const field of fields(bytesOf(value, 'trainer_spec'))) {
          if (field.number === 3) modelType = Number(field.value);
          else if (field.number === 35) flags.byteFallback = field.value !== 0;
          else if (field.number === 24 && field.value !== 0) refuse('treat_whitespace_as_suffix: true, wanted false');
        }
      } else if (number === 3) {
        for (const field of fields(bytesOf(value, 'normalizer_spec'))) {
          if (field.number === 2 && field.value instanceof Uint8Array && field.value.length > 0)
            refuse(`precompiled_charsmap: ${field.value.length} bytes, wanted identity normalisation`);
          else if (field.number === 3) flags.addDummyPrefix = field.value !== 0;
          else if (field.number === 4) flags.removeExtraWhitespaces = field.value !== 0;
          else if (field.number === 5 && field.value === 0) refuse('escape_whitespaces: false, wanted true');
        }
      }
    }
  } catch (error) {
    if (error instanceof WireError) refuse(`byte ${error.offset}: ${error.message}, wanted a SentencePiece model`);
    throw error;
  }
  if (modelType !== 2) refuse(`model_type: ${modelType}, wanted 2 (BPE)`);

  const seen = new Map<string, number>();
  for (const [id, { text, kind }] of pieces.entries()) {
    const at = `pieces[${id}]: ${JSON.stringify(text)}`;
    if (seen.has(text)) refuse(`${at} again, it is pieces[${seen.get(text)}] already`);
    seen.set(text, id);
    if (kind === 'byte' && byteValue(text) === undefined) refuse(`${at}, wanted <0x00> to <0xFF>`);
  }
  const count = (wanted: string): number => pieces.filter(({ kind }) => kind === wanted).length;
  if (count('unknown') !== 1) refuse(`pieces: ${count('unknown')} of the unknown kind, wanted 1`);
  if (flags.byteFallback && count('byte') !== 256) refuse(`pieces: ${count('byte')} of the byte kind, wanted 256`);
  return { pieces, ...flags };
}

/** Byte that a byte piece such as `<0x0A>` stands for. */
export function byteValue(text: string): number | undefined {
  return /^<0x[0-9A-F]{2}>$/.test(text) ? Number.parseInt(text.slice(3, 5), 16) : undefined;
}

/** The bytes are not a protobuf message. `offset` counts from the start of the buffer that was given. */
class WireError extends Error {
  readonly offset: number;
  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}

/**
 * The fields of a protobuf message in file order: a number for varint and fixed-width fields (floats as such), bytes, not
 * copied, for length-delimited ones. Throws WireError on damage; varints above 2^53 lose low bits.
 */
function* fields(bytes: Uint8Array): Generator<{ readonly number: number; readonly value: number | Uint8Array }> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;

  function varint(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined) throw new WireError(at - 1, 'cut off inside a number');
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new WireError(at, 'a number of more than 10 bytes');
  }

  function take(length: number): number {
    const start = at;
    if (length > bytes.length - at)
      throw new WireError(at, `a field of ${length} bytes where ${bytes.length - at} are left`);
    at += length;
    return start;
  }

  while (at < bytes.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    const wire = tag % 8;
    if (wire === 0) yield { number, value: varint() };
    else if (wire === 1) yield { number, value: view.getFloat64(take(8), true) };
    else if (wire === 2) {
      const length = varint();
      const start = take(length);
      yield { number, value: bytes.subarray(start, start + length) };
    } else if (wire === 5) yield { number, value: view.getFloat32(take(4), true) };
    else throw new WireError(at, `wire type ${wire}, wanted 0, 1, 2 or 5`);
  }
}
