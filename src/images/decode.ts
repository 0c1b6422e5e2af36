// Encoded picture bytes -> 8-bit RGB, as Pillow's open().convert('RGB') gives it: palette expanded, grey repeated,
// alpha dropped. Only PNG, JPEG, WebP, GIF and TIFF reach the decoder, and of these only what it decodes as Pillow
// does. Resizing and tiling are the engine's.
import { webcrypto } from 'node:crypto';
import sharp, { type Metadata, type Sharp } from 'sharp';
import { UserError } from '../core/errors.js';

/** Decoded picture: `rgb` is 8-bit, row by row; `key` is a hash of the contents: equal keys, equal pictures. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
  readonly key: string;
}

const DECODE_SECONDS = 60;
const FORMATS = 'PNG, JPEG, WebP, GIF or TIFF';

/**
 * Decodes the bytes of `name` (for messages only). No EXIF rotation, no colour management.
 * @param maxPixels width x height above this is refused before anything is decoded
 * @throws UserError `name: field: found, wanted`
 */
export async function decodePicture(bytes: Uint8Array, name: string, maxPixels: number): Promise<Picture> {
  const format = sniff(bytes);
  if (format === 'a Git LFS pointer')
    throw new UserError(`${name}: picture: ${format}, wanted the picture itself (git lfs pull)`);
  if (format === undefined) throw new UserError(`${name}: picture: no format that is known, wanted ${FORMATS}`);
  if (!/^(PNG|JPEG|WebP|GIF|TIFF)$/.test(format))
    throw new UserError(`${name}: picture: ${format}, which is not read, wanted ${FORMATS} (convert it)`);
  const refuse = (): never => {
    throw new UserError(`${name}: picture: damaged ${format} data, wanted a picture that decodes`);
  };
  const open = (): Sharp =>
    sharp(bytes, { failOn: 'error', limitInputPixels: maxPixels, ignoreIcc: true }).timeout({
      seconds: DECODE_SECONDS,
    });
  // Read without the limit, so that the message can say how large the picture is; this decodes nothing.
  const header = await sharp(bytes, { failOn: 'error', limitInputPixels: false }).metadata().catch(refuse);
  // The decoder does not believe the size of some GIFs and takes that of their frames; Pillow does.
  const { width, height } = format === 'GIF' ? { width: pair(bytes, 6), height: pair(bytes, 8) } : header;
  if (header.format !== format.toLowerCase() || !(width >= 1 && height >= 1)) refuse();
  if (format === 'TIFF') checkTiff(header, name);
  if (width * height > maxPixels) {
    throw new UserError(`${name}: pixels: ${width} x ${height} = ${width * height}, wanted at most ${maxPixels}`);
  }
  let rgb: Uint8Array;
  // Of a PNG byte 24 is the bit depth and byte 25 the colour type: grey without an alpha channel.
  if (format === 'PNG' && bytes[24] === 16 && bytes[25] === 0) rgb = await grey16(open()).catch(refuse);
  else if (format === 'GIF') rgb = await gif(open(), bytes).catch(refuse);
  else if (header.space === 'cmyk') rgb = await cmyk(open()).catch(refuse);
  else rgb = await open().removeAlpha().toColourspace('srgb').raw({ depth: 'uchar' }).toBuffer().catch(refuse);
  if (rgb.length !== width * height * 3) refuse();
  const digest = await webcrypto.subtle.digest('SHA-256', rgb);
  return { width, height, rgb, key: `${width}x${height}:${Buffer.from(digest).toString('hex')}` };
}

/** What a picture is, by its first bytes. */
function sniff(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.subarray(0, 12)).toString('latin1');
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'PNG';
  if (head.startsWith('\xff\xd8\xff')) return 'JPEG';
  if (head.startsWith('RIFF') && head.endsWith('WEBP')) return 'WebP';
  if (/^GIF8[79]a/.test(head)) return 'GIF';
  if (/^(?:II\*\0|MM\0\*)/.test(head)) return 'TIFF';
  if (head.startsWith('BM')) return 'BMP';
  if (/^....ftyp(?:avif|avis|heic|heix|mif1)/s.test(head)) return 'AVIF or HEIC';
  if (head === 'version http') return 'a Git LFS pointer';
  return /^\s*</.test(head) ? 'SVG or another text' : undefined;
}

/** Of a TIFF only plain pictures come out as Pillow's. Throws UserError. */
function checkTiff({ space, depth, hasAlpha, orientation = 1 }: Metadata, name: string): void {
  const kind = [
    depth !== 'uchar' && `${depth} samples`,
    space !== 'srgb' && space !== 'b-w' && `${space} colours`,
    hasAlpha && 'an alpha channel',
    orientation !== 1 && 'an orientation',
  ].find((text) => text !== false);
  if (kind)
    throw new UserError(
      `${name}: picture: TIFF with ${kind}, which is not read, wanted 8-bit grey, RGB or palette (convert it)`,
    );
}

/** The first frame. Pillow gives a transparent pixel, and those around a frame that is smaller than the picture, a colour of the palette. */
async function gif(image: Sharp, bytes: Uint8Array): Promise<Uint8Array> {
  const { data, info } = await image
    .ensureAlpha()
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const { left, top, right, bottom, colour } = firstFrame(bytes);
  const rgb = new Uint8Array(info.width * info.height * 3);
  for (let pixel = 0, y = 0; y < info.height; y++) {
    for (let x = 0; x < info.width; x++, pixel++) {
      const seen = x >= left && x < right && y >= top && y < bottom && data[4 * pixel + 3] !== 0;
      rgb.set(seen ? data.subarray(4 * pixel, 4 * pixel + 3) : colour, 3 * pixel);
    }
  }
  return rgb;
}

/** A number of two bytes, the lower one first; 0 behind the end. */
function pair(bytes: Uint8Array, place: number): number {
  return (bytes[place] ?? 0) + 256 * (bytes[place + 1] ?? 0);
}

/** Where the first frame of a GIF lies, and its transparent colour: the first of the palette where none is. */
function firstFrame(bytes: Uint8Array) {
  const at = (place: number): number => bytes[place] ?? 0;
  const sizeOf = (flags: number): number => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);
  let palette = bytes.subarray(13, 13 + sizeOf(at(10)));
  let index = 0;
  let place = 13 + palette.length;
  // Extensions: a label, then pieces that begin with their length, the last of them empty.
  while (at(place) === 0x21) {
    if (at(place + 1) === 0xf9) index = at(place + 3) & 1 ? at(place + 6) : 0;
    place += 2;
    while (at(place) !== 0) place += at(place) + 1;
    place += 1;
  }
  const [left, top] = [pair(bytes, place + 1), pair(bytes, place + 3)];
  const own = sizeOf(at(place + 9));
  if (own > 0) palette = bytes.subarray(place + 10, place + 10 + own);
  const colour = Uint8Array.from({ length: 3 }, (_, channel) => palette[3 * index + channel] ?? 0);
  return { left, top, right: left + pair(bytes, place + 5), bottom: top + pair(bytes, place + 7), colour };
}

/** Pillow clips 16-bit grey to 255 where every other 16-bit form loses its low byte. */
async function grey16(image: Sharp): Promise<Uint8Array> {
  const { data, info } = await image
    .removeAlpha()
    .toColourspace('grey16')
    .raw({ depth: 'ushort' })
    .toBuffer({ resolveWithObject: true });
  const grey = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const rgb = new Uint8Array(info.width * info.height * 3);
  for (let i = 0; i < rgb.length / 3; i++)
    rgb.fill(Math.min(255, grey.getUint16(2 * i * info.channels, true)), 3 * i, 3 * i + 3);
  return rgb;
}

/** Pillow's conversion without a profile: each channel is (255 - ink) x (255 - black) / 255, rounded on the ink side. */
async function cmyk(image: Sharp): Promise<Uint8Array> {
  const { data, info } = await image
    .pipelineColourspace('cmyk')
    .toColourspace('cmyk')
    .raw()
    .toBuffer({ resolveWithObject: true });
  const rgb = new Uint8Array(info.width * info.height * 3);
  for (let pixel = 0; pixel < rgb.length / 3; pixel++) {
    const light = 255 - (data[4 * pixel + 3] as number);
    for (let channel = 0; channel < 3; channel++) {
      const product = (data[4 * pixel + channel] as number) * light + 128;
      rgb[3 * pixel + channel] = light - (((product >> 8) + product) >> 8);
    }
  }
  return rgb;
}
