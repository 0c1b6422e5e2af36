// TensorBoard event files: scalars of a run as TFRecords of Event messages. Format: tensorflow/core/util/event.proto
// and lib/io/record_writer.cc.

export interface Scalar {
  readonly tag: string;
  readonly step: number;
  readonly value: number;
}

/** A scalar and when it was known, in seconds since 1970. */
interface TimedScalar extends Scalar {
  readonly wallSeconds: number;
}

/** SessionLog { status: START } */
const START = Buffer.from([1 << 3, 1]);

/**
 * What an events.out.tfevents file begins with: its version, and word that a session starts at step 0, on which a reader
 * that follows the folder drops what it had from earlier files.
 */
function eventFileHead(wallSeconds: number): Uint8Array {
  const version = event(wallSeconds, 0, field(3, Buffer.from('brain.Event:2')));
  return Buffer.concat([record(version), record(event(wallSeconds, 0, field(7, START)))]);
}

/** What a scalar adds to the file. */
export function eventRecord({ tag, step, value, wallSeconds }: TimedScalar): Uint8Array {
  const number = Buffer.alloc(5);
  number[0] = (2 << 3) | 5;
  number.writeFloatLE(value, 1);
  const summaryValue = Buffer.concat([field(1, Buffer.from(tag)), number]);
  return record(event(wallSeconds, step, field(5, field(1, summaryValue))));
}

/** A whole file. */
export function eventFile(scalars: readonly TimedScalar[], wallSeconds: number): Uint8Array {
  return Buffer.concat([eventFileHead(wallSeconds), ...scalars.map(eventRecord)]);
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

/** CRC-32C, rotated and offset as records want it, as the checksum of data that hold checksums would be a weak one. */
function masked(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (table[(crc ^ byte) & 0xff] as number);
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
