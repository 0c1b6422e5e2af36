// Encoded picture bytes -> 8-bit RGB, as Pillow's open().convert('RGB') gives it: palette expanded, grey repeated, alpha dropped.
// Only PNG, JPEG and WebP reach the decoder. Leaves caching to store.ts; resizing and tiling are the engine's.
import { webcrypto } from 'node:crypto';
import sharp, { type Sharp } from 'sharp';
import { UserError } from '../core/errors.js';

/** Decoded picture: `rgb` is 8-bit, row by row; `key` is a hash of the contents: equal keys, equal pictures. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
  readonly key: string;
}

const DECODE_SECONDS = 60;

/**
 * Decodes the bytes of `name` (for messages only). No EXIF rotation, no colour management.
 * @param maxPixels width x height above this is refused before anything is decoded
 * @throws UserError `name: field: found, wanted`
 */
export async function decodePicture(bytes: Uint8Array, name: string, maxPixels: number): Promise<Picture> {
  const format = sniff(bytes);
  if (!format) throw new UserError(`${name}: picture: neither PNG, JPEG nor WebP, wanted one of them`);
  const refuse = (): never => {
    throw new UserError(`${name}: picture: damaged ${format.toUpperCase()} data, wanted a picture that decodes`);
  };
  const open = (): Sharp =>
    sharp(bytes, { failOn: 'error', limitInputPixels: maxPixels, ignoreIcc: true }).timeout({
      seconds: DECODE_SECONDS,
    });
  // Read without the limit, so that the message can say how large the picture is; this decodes nothing.
  const header = await sharp(bytes, { failOn: 'error', limitInputPixels: false }).metadata().catch(refuse);
  const { width, height } = header;
  if (header.format !== format || !(width >= 1 && height >= 1)) refuse();
  if (width * height > maxPixels) {
    throw new UserError(`${name}: pixels: ${width} x ${height} = ${width * height}, wanted at most ${maxPixels}`);
  }
  let rgb: Uint8Array;
  if (isGrey16(bytes, format)) rgb = await grey16(open()).catch(refuse);
  else if (header.space === 'cmyk') rgb = await cmyk(open()).catch(refuse);
  else rgb = await open().removeAlpha().toColourspace('srgb').raw({ depth: 'uchar' }).toBuffer().catch(refuse);
  if (rgb.length !== width * height * 3) refuse();
  const digest = await webcrypto.subtle.digest('SHA-256', rgb);
  return { width, height, rgb, key: `${width}x${height}:${Buffer.from(digest).toString('hex')}` };
}

function sniff(bytes: Uint8Array): 'png' | 'jpeg' | 'webp' | undefined {
  const head = Buffer.from(bytes.subarray(0, 12)).toString('latin1');
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (head.startsWith('\xff\xd8\xff')) return 'jpeg';
  return head.startsWith('RIFF') && head.endsWith('WEBP') ? 'webp' : undefined;
}

/** A PNG of 16-bit grey without an alpha channel: byte 24 of the file is the bit depth, byte 25 the colour type. */
function isGrey16(bytes: Uint8Array, format: string): boolean {
  return format === 'png' && bytes[24] === 16 && bytes[25] === 0;
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
