// Writes PNG files of any bit depth and colour type for tests, uncompressed rows as given.
import { crc32, deflateSync } from 'node:zlib';

export interface FakePng {
  readonly width: number;
  readonly height: number;
  readonly depth?: number;
  /** 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha. */
  readonly colorType?: number;
  /** Bytes of each row as PNG packs them. */
  readonly rows: readonly (readonly number[])[];
  readonly palette?: readonly number[];
  readonly transparency?: readonly number[];
}

export function pngFile(png: FakePng): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(png.width, 0);
  header.writeUInt32BE(png.height, 4);
  header[8] = png.depth ?? 8;
  header[9] = png.colorType ?? 2;
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    ...(png.palette ? [chunk('PLTE', Buffer.from(png.palette))] : []),
    ...(png.transparency ? [chunk('tRNS', Buffer.from(png.transparency))] : []),
    chunk('IDAT', deflateSync(Buffer.concat(png.rows.map((row) => Buffer.from([0, ...row]))))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** RGB rows of one colour each. */
export function solidPng(width: number, height: number, color: readonly [number, number, number]): Buffer {
  const row = Array.from({ length: width }, () => color).flat();
  return pngFile({ width, height, rows: Array.from({ length: height }, () => row) });
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const bytes = Buffer.alloc(body.length + 8);
  bytes.writeUInt32BE(data.length, 0);
  body.copy(bytes, 4);
  bytes.writeUInt32BE(crc32(body), body.length + 4);
  return bytes;
}
