// Reads a SentencePiece model file (tokenizer.model): pieces and the flags that change how text is cut. What the flags
// ask for and this project cannot do is refused by name.
import { UserError } from '../core/errors.js';
import { fields, WireError } from './protobuf.js';

export type PieceKind = 'normal' | 'unknown' | 'control' | 'userDefined' | 'unused' | 'byte';

export interface Piece {
  readonly text: string;
  readonly score: number;
  readonly kind: PieceKind;
}

export interface SentencePieceModel {
  /** Index is the id. */
  readonly pieces: readonly Piece[];
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
const KINDS: Readonly<Record<number, PieceKind>> = {
  1: 'normal',
  2: 'unknown',
  3: 'control',
  4: 'userDefined',
  5: 'unused',
  6: 'byte',
};

/** Parses the bytes of `file` (named in messages only). Throws UserError. */
export function parseSentencePiece(bytes: Uint8Array, file: string): SentencePieceModel {
  try {
    return parseModel(bytes, file);
  } catch (error) {
    if (error instanceof WireError)
      throw new UserError(`${file}: byte ${error.offset}: ${error.message}, wanted a SentencePiece model`);
    throw error;
  }
}

function parseModel(bytes: Uint8Array, file: string): SentencePieceModel {
  const pieces: Piece[] = [];
  let byteFallback = false;
  let modelType = 1;
  // Absent flags have the defaults of the format, which are on.
  const flags = { addDummyPrefix: true, removeExtraWhitespaces: true, escapeWhitespaces: true };
  for (const { number, value } of fields(bytes)) {
    if (number === 1) {
      if (pieces.length === MAX_PIECES) throw new UserError(`${file}: pieces: more than ${MAX_PIECES}`);
      pieces.push(parsePiece(message(value, file, 'pieces'), file, pieces.length));
    } else if (number === 2) {
      for (const field of fields(message(value, file, 'trainer_spec'))) {
        if (field.number === 3) modelType = Number(field.value);
        else if (field.number === 35) byteFallback = field.value !== 0;
        else if (field.number === 24 && field.value !== 0)
          throw new UserError(`${file}: treat_whitespace_as_suffix: true, wanted false`);
      }
    } else if (number === 3) {
      for (const field of fields(message(value, file, 'normalizer_spec'))) {
        if (field.number === 2 && field.value instanceof Uint8Array && field.value.length > 0) {
          throw new UserError(
            `${file}: precompiled_charsmap: ${field.value.length} bytes, wanted identity normalisation`,
          );
        } else if (field.number === 3) flags.addDummyPrefix = field.value !== 0;
        else if (field.number === 4) flags.removeExtraWhitespaces = field.value !== 0;
        else if (field.number === 5) flags.escapeWhitespaces = field.value !== 0;
      }
    }
  }
  if (modelType !== 2) throw new UserError(`${file}: model_type: ${modelType}, wanted 2 (BPE)`);
  if (!flags.escapeWhitespaces) throw new UserError(`${file}: escape_whitespaces: false, wanted true`);
  checkPieces(pieces, byteFallback, file);
  return {
    pieces,
    byteFallback,
    addDummyPrefix: flags.addDummyPrefix,
    removeExtraWhitespaces: flags.removeExtraWhitespaces,
  };
}

function message(value: number | Uint8Array, file: string, field: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new UserError(`${file}: ${field}: a number, wanted a message`);
}

function parsePiece(bytes: Uint8Array, file: string, id: number): Piece {
  let text = '';
  let score = 0;
  let kind: PieceKind | undefined = 'normal';
  for (const { number, value } of fields(bytes)) {
    if (number === 1) {
      try {
        text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
          message(value, file, `pieces[${id}].piece`),
        );
      } catch (error) {
        if (error instanceof TypeError) throw new UserError(`${file}: pieces[${id}].piece: bytes that are not UTF-8`);
        throw error;
      }
    } else if (number === 2) score = Number(value);
    else if (number === 3) kind = KINDS[Number(value)];
  }
  if (kind === undefined) throw new UserError(`${file}: pieces[${id}].type: unknown, wanted 1 to 6`);
  if (text === '' || text.length > MAX_PIECE_LENGTH) {
    throw new UserError(`${file}: pieces[${id}].piece: ${text.length} characters, wanted 1 to ${MAX_PIECE_LENGTH}`);
  }
  if (!Number.isFinite(score)) throw new UserError(`${file}: pieces[${id}].score: ${score}, wanted a finite number`);
  return { text, score, kind };
}

function checkPieces(pieces: readonly Piece[], byteFallback: boolean, file: string): void {
  const seen = new Map<string, number>();
  let unknown = 0;
  let bytes = 0;
  for (const [id, piece] of pieces.entries()) {
    const first = seen.get(piece.text);
    if (first !== undefined)
      throw new UserError(
        `${file}: pieces[${id}]: ${JSON.stringify(piece.text)} again, it is pieces[${first}] already`,
      );
    seen.set(piece.text, id);
    if (piece.kind === 'unknown') unknown++;
    if (piece.kind === 'byte') {
      if (byteValue(piece.text) === undefined)
        throw new UserError(`${file}: pieces[${id}]: ${JSON.stringify(piece.text)}, wanted <0x00> to <0xFF>`);
      bytes++;
    }
  }
  if (unknown !== 1) throw new UserError(`${file}: pieces: ${unknown} of the unknown kind, wanted 1`);
  if (byteFallback && bytes !== 256) throw new UserError(`${file}: pieces: ${bytes} of the byte kind, wanted 256`);
}

/** Byte that a byte piece such as `<0x0A>` stands for. */
export function byteValue(text: string): number | undefined {
  return /^<0x[0-9A-F]{2}>$/.test(text) ? Number.parseInt(text.slice(3, 5), 16) : undefined;
}
