// Pictures of problems as data URIs: decoded, made small, encoded again, so that a report holds pixels and nothing
// else.
import { resolve } from 'node:path';
import sharp from 'sharp';
import { UserError } from '../core/errors.js';
import { readRegularFile } from '../core/files.js';
import { decodePicture } from '../images/decode.js';

export interface EmbeddedPicture {
  readonly uri: string;
  /** Pixels as embedded. */
  readonly width: number;
  readonly height: number;
}

const MOST_BYTES = 64 * 2 ** 20;
const MOST_PIXELS = 50_000_000;
const LONGEST_SIDE = 480;
/** Drawings up to this side stay exact; larger pictures are photographs as a rule. */
const EXACT_SIDE = 160;

/**
 * Reads a picture that a table of rollouts names.
 * @param dir run folder, where relative paths start
 * @returns undefined where the file is gone or is not a picture: a report shows what there is
 */
export async function embedPicture(dir: string, path: string): Promise<EmbeddedPicture | undefined> {
  return shownOrGone(async () => encode(await readRegularFile(resolve(dir, path), MOST_BYTES), path));
}

/** As `embedPicture`, of encoded bytes; `name` is for messages. */
export async function embedBytes(bytes: Uint8Array, name: string): Promise<EmbeddedPicture | undefined> {
  return shownOrGone(() => encode(bytes, name));
}

async function encode(bytes: Uint8Array, name: string): Promise<EmbeddedPicture> {
  const { rgb, width, height } = await decodePicture(bytes, name, MOST_PIXELS);
  const fitted = sharp(rgb, { raw: { width, height, channels: 3 } }).resize({
    width: LONGEST_SIDE,
    height: LONGEST_SIDE,
    fit: 'inside',
    withoutEnlargement: true,
  });
  const exact = Math.max(width, height) <= EXACT_SIDE;
  const encoded = exact ? fitted.png({ compressionLevel: 9 }) : fitted.jpeg({ quality: 80 });
  const { data, info } = await encoded.toBuffer({ resolveWithObject: true });
  const uri = `data:image/${exact ? 'png' : 'jpeg'};base64,${data.toString('base64')}`;
  return { uri, width: info.width, height: info.height };
}

async function shownOrGone(embed: () => Promise<EmbeddedPicture>): Promise<EmbeddedPicture | undefined> {
  try {
    return await embed();
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
