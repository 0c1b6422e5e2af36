// Decoding is Pillow's, to the last bit, on every form of file: digests of Image.open(file).convert('RGB') in fixtures/pillow.json.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { decodePicture } from '../../../src/images/decode.js';
import { pngFiles } from './pictures.js';

interface Fixture {
  /** Digest of the decoded bytes by the name of the file. */
  readonly png: Readonly<Record<string, string>>;
  readonly files: readonly {
    readonly name: string;
    readonly width: number;
    readonly height: number;
    readonly rgb: string;
    readonly file: string;
  }[];
}

const fixture: Fixture = JSON.parse(readFileSync(new URL('fixtures/pillow.json', import.meta.url), 'utf8'));
const digest = (rgb: Uint8Array) => createHash('sha256').update(rgb).digest('hex');
const decode = (bytes: Uint8Array, name: string) => decodePicture(bytes, name, 1e6);

describe('PNG', () => {
  const files = pngFiles();

  test('every form has its digest', () => {
    expect([...files.keys()]).toEqual(Object.keys(fixture.png));
  });

  test.each([...files])('%s', async (name, bytes) => {
    expect(digest((await decode(bytes, name)).rgb)).toBe(fixture.png[name]);
  });

  test('interlaced files hold the same pictures', async () => {
    for (const [name, bytes] of files) {
      // What the writer would change besides: sub-byte depths, palettes and transparent colours.
      if (!/^(grey|RGB)( with alpha)?, 8 bits/.test(name) || name.endsWith('transparent')) continue;
      const interlaced = await sharp(bytes).png({ progressive: true, palette: false }).toBuffer();
      expect(interlaced[28]).toBe(1);
      expect([name, digest((await decode(interlaced, name)).rgb)]).toEqual([name, fixture.png[name]]);
    }
  });
});

describe('JPEG, WebP, GIF, TIFF, and PNG with more than a picture', () => {
  test.each(fixture.files)('$name', async ({ name, width, height, rgb, file }) => {
    const picture = await decode(Buffer.from(file, 'base64'), name);
    expect([picture.width, picture.height, digest(picture.rgb)]).toEqual([width, height, rgb]);
  });
});

describe('limits hold before anything is decoded', () => {
  /** The file with another size in its header. */
  const resized: Readonly<Record<string, (file: Buffer, width: number, height: number) => void>> = {
    JPEG: (file, width, height) => {
      const frame = file.findIndex((byte, at) => byte === 0xff && [0xc0, 0xc2].includes(file[at + 1] as number));
      file.writeUInt16BE(height, frame + 5);
      file.writeUInt16BE(width, frame + 7);
    },
    GIF: (file, width, height) => {
      file.writeUInt16LE(width, 6);
      file.writeUInt16LE(height, 8);
    },
    // The 14 bits of width and height in a lossy key frame.
    WebP: (file, width, height) => {
      const frame = file.indexOf(Buffer.of(0x9d, 0x01, 0x2a));
      file.writeUInt16LE(width, frame + 3);
      file.writeUInt16LE(height, frame + 5);
    },
  };

  test.each([
    ['JPEG, chroma 4:2:0', 'JPEG', 65_500],
    ['JPEG, progressive', 'JPEG', 65_500],
    ['WebP, lossy', 'WebP', 16_383],
    ['GIF', 'GIF', 65_535],
  ] as const)('%s', async (name, format, side) => {
    const entry = fixture.files.find((candidate) => candidate.name === name);
    const file = Buffer.from(entry?.file ?? '', 'base64');
    resized[format]?.(file, side, side);
    const before = process.memoryUsage().rss;
    await expect(decodePicture(file, 'bomb', 5e7)).rejects.toThrow(
      `bomb: pixels: ${side} x ${side} = ${side * side}, wanted at most 50000000`,
    );
    expect(process.memoryUsage().rss - before).toBeLessThan(100e6);
  });

  test('a picture of exactly the limit is read', async () => {
    const [name, bytes] = [...pngFiles()].find(([key]) => key.startsWith('RGB, 8 bits, 13 x 7')) as [string, Buffer];
    expect((await decodePicture(bytes, name, 91)).rgb).toHaveLength(273);
    await expect(decodePicture(bytes, name, 90)).rejects.toThrow('13 x 7 = 91, wanted at most 90');
  });
});
