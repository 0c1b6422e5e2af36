// Writes SentencePiece model files (the protobuf bytes of a tokenizer.model) for tests, and a small vocabulary to put
// in one.

export interface FakePiece {
  readonly text: string;
  readonly score?: number;
  /** 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte. */
  readonly type?: number;
}

export interface FakeModel {
  readonly pieces: readonly FakePiece[];
  readonly modelType?: number;
  readonly byteFallback?: boolean;
  readonly addDummyPrefix?: boolean;
  readonly removeExtraWhitespaces?: boolean;
  readonly charsmap?: Uint8Array;
}

export function sentencePieceFile(model: FakeModel): Uint8Array {
  const pieces = model.pieces.map(({ text, score = 0, type = 1 }) =>
    bytesField(1, [bytesField(1, [Buffer.from(text)]), floatField(2, score), varintField(3, type)]),
  );
  const trainer = [varintField(3, model.modelType ?? 2), varintField(35, Number(model.byteFallback ?? true))];
  const normalizer = [
    bytesField(2, [model.charsmap ?? new Uint8Array()]),
    varintField(3, Number(model.addDummyPrefix ?? false)),
    varintField(4, Number(model.removeExtraWhitespaces ?? false)),
  ];
  return Buffer.concat([...pieces, bytesField(2, trainer), bytesField(3, normalizer)]);
}

/** <unk> 0, <s> 1, </s> 2, bytes 3 to 258, then `texts` with falling scores: earlier ones merge first. */
export function fakePieces(texts: readonly (string | FakePiece)[]): FakePiece[] {
  const bytes = Array.from({ length: 256 }, (_, byte) => byte.toString(16).toUpperCase().padStart(2, '0'));
  return [
    { text: '<unk>', type: 2 },
    { text: '<s>', type: 3 },
    { text: '</s>', type: 3 },
    ...bytes.map((hex) => ({ text: `<0x${hex}>`, type: 6 })),
    ...texts.map((piece, index) => (typeof piece === 'string' ? { text: piece, score: -index } : piece)),
  ];
}

/** Merges for "hello world" and every printable ASCII character, newline included. */
export const SMALL_VOCABULARY: readonly FakePiece[] = fakePieces([
  'he',
  'll',
  'hell',
  'hello',
  '\u2581w',
  'or',
  '\u2581wor',
  '\u2581world',
  'ld',
  '\u2581',
  '\n',
  ...Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index)),
  { text: '[SLOT_1]', type: 4 },
]);

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}

function varintField(number: number, value: number): Buffer {
  return Buffer.concat([varint(number * 8), varint(value)]);
}

function floatField(number: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([varint(number * 8 + 5), bytes]);
}

function bytesField(number: number, parts: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.concat(parts);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}
