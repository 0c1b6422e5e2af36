// A reader of TensorBoard event files: framing with checksums bit by bit, and the fields of scalars.

export interface ReadEvent {
  readonly wallSeconds: number;
  readonly step: number;
  /** Of the first record. */
  readonly version?: string;
  readonly starts: boolean;
  readonly tag?: string;
  readonly value?: number;
}

/** CRC-32C bit by bit. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes)
    for (let bit = 0, value = byte; bit < 8; bit++, value >>= 1)
      crc = (crc ^ value) & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return ~crc >>> 0;
}

const mask = (crc: number) => ((((crc >>> 15) | (crc << 17)) >>> 0) + 0xa282ead8) % 2 ** 32;

/** The events of a file. Throws where a length or a checksum is wrong. */
export function readEventFile(file: Uint8Array): ReadEvent[] {
  const bytes = Buffer.from(file);
  const all: ReadEvent[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    const data = bytes.subarray(at + 12, at + 12 + length);
    if (bytes.readUInt32LE(at + 8) !== mask(crc32c(bytes.subarray(at, at + 8)))) throw new Error(`length at ${at}`);
    if (bytes.readUInt32LE(at + 12 + length) !== mask(crc32c(data))) throw new Error(`data at ${at}`);
    all.push(eventOf(data));
    at += 16 + length;
  }
  return all;
}

function eventOf(data: Buffer): ReadEvent {
  const fields = fieldsOf(data);
  const summary = fields.get(5) as Buffer | undefined;
  const value = summary && fieldsOf(fieldsOf(summary).get(1) as Buffer);
  return {
    wallSeconds: (fields.get(1) as Buffer).readDoubleLE(),
    step: (fields.get(2) as number | undefined) ?? 0,
    version: (fields.get(3) as Buffer | undefined)?.toString(),
    starts: fields.has(7),
    tag: (value?.get(1) as Buffer | undefined)?.toString(),
    value: (value?.get(2) as Buffer | undefined)?.readFloatLE(),
  };
}

/** Fields of a message by number: varints as numbers, everything else as its bytes. */
function fieldsOf(data: Buffer): Map<number, number | Buffer> {
  const fields = new Map<number, number | Buffer>();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = data[at++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  while (at < data.length) {
    const key = varint();
    const kind = key & 7;
    if (kind === 0) {
      fields.set(key >> 3, varint());
      continue;
    }
    const size = kind === 1 ? 8 : kind === 5 ? 4 : varint();
    fields.set(key >> 3, data.subarray(at, at + size));
    at += size;
  }
  return fields;
}
