// TensorBoard event files: scalars of a run as TFRecords of Event messages. Format: tensorflow/core/util/event.proto and
// lib/io/record_writer.cc. Leaves where a curve comes from to curves.ts.

export interface Scalar {
  readonly tag: string;
  readonly step: number;
  readonly value: number;
}

/** The bytes of an events.out.tfevents file; `seconds` is the wall time of all events, since 1970. */
export function eventFile(scalars: readonly Scalar[], seconds: number): Uint8Array {
  const version = event(seconds, 0, field(3, Buffer.from('brain.Event:2')));
  const records = scalars.map(({ tag, step, value }) => {
    const number = Buffer.alloc(5);
    number[0] = (2 << 3) | 5;
    number.writeFloatLE(value, 1);
    const summaryValue = Buffer.concat([field(1, Buffer.from(tag)), number]);
    return event(seconds, step, field(5, field(1, summaryValue)));
  });
  return Buffer.concat([version, ...records].map(record));
}

function event(seconds: number, step: number, what: Buffer): Buffer {
  const time = Buffer.alloc(9);
  time[0] = (1 << 3) | 1;
  time.writeDoubleLE(seconds, 1);
  return Buffer.concat([time, Buffer.from([2 << 3]), varint(step), what]);
}

/** A length-delimited field. */
function field(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2]), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  while (left >= 0x80) {
    bytes.push((left % 0x80) | 0x80);
    left = Math.floor(left / 0x80);
  }
  return Buffer.from([...bytes, left]);
}

/** Length, its checksum, the data, its checksum. */
function record(data: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeBigUInt64LE(BigInt(data.length));
  head.writeUInt32LE(masked(head.subarray(0, 8)), 8);
  const foot = Buffer.alloc(4);
  foot.writeUInt32LE(masked(data));
  return Buffer.concat([head, data, foot]);
}

const POLYNOMIAL = 0x82f63b78;
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  return crc;
});

/** CRC-32C, rotated and offset as records want it, so that a checksum of checksums is none. */
function masked(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (table[(crc ^ byte) & 0xff] as number);
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
