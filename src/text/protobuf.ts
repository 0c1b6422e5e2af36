// Reads the protobuf wire format: fields of one message, bounds checked, nothing copied.

/** Value of a field: a number for varint and fixed-width fields (floats as such), bytes for length-delimited ones. */
export interface Field {
  readonly number: number;
  readonly value: number | Uint8Array;
}

/** The bytes are not a protobuf message. `offset` counts from the start of the buffer that was given. */
export class WireError extends Error {
  readonly offset: number;
  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}

/** Yields the fields of a message in file order. Throws WireError on damage; varints above 2^53 lose low bits. */
export function* fields(bytes: Uint8Array): Generator<Field> {
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
