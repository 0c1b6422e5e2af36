// Pictures of problems as data URIs: decoded, made small, encoded again, so that a report holds pixels and nothing
// else.
import { resolve } from 'node:path';
import sharp from 'sharp';
import { UserError } from '../core/errors.js';
import { readRegularFile } from '../core/files.js';
import type { ImageSource } from '../core/types.js';
import { decodePicture } from '../images/decode.js';

export interface EmbeddedPicture {
  readonly uri: string;
  /** Pixels as embedded. */
  readonly width: number;
  readonly height: number;
}

/** Drawings up to this side stay exact; larger pictures are photographs as a rule. */
const EXACT_SIDE = 160;

/**
 * Those of some pictures that are there: a report shows what there is.
 * @param dir where relative paths start: for a table of rollouts the run folder
 */
export async function embedPictures(dir: string, images: readonly ImageSource[]): Promise<EmbeddedPicture[]> {
  return (await Promise.all(images.map((image) => embedPicture(dir, image)))).flatMap((found) => found ?? []);
}

/** Undefined where the file is gone or is not a picture. */
export async function embedPicture(dir: string, image: ImageSource): Promise<EmbeddedPicture | undefined> {
  try {
    if (!('path' in image)) return await encode(image.bytes, image.name);
    return await encode(await readRegularFile(resolve(dir, image.path), 64 * 2 ** 20), image.path);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

async function encode(bytes: Uint8Array, name: string): Promise<EmbeddedPicture> {
  const { rgb, width, height } = await decodePicture(bytes, name, 50_000_000);
  const side = 480;
  const raw = { width, height, channels: 3 } as const;
  const fitted = sharp(rgb, { raw }).resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true });
  const exact = Math.max(width, height) <= EXACT_SIDE;
  const encoded = exact ? fitted.png({ compressionLevel: 9 }) : fitted.jpeg({ quality: 80 });
  const { data, info } = await encoded.toBuffer({ resolveWithObject: true });
  const uri = `data:image/${exact ? 'png' : 'jpeg'};base64,${data.toString('base64')}`;
  return { uri, width: info.width, height: info.height };
}
