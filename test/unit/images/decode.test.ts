// Decoding against what Pillow's convert('RGB') gives, on pictures written here; and what is refused.
import sharp, { type Sharp } from 'sharp';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/core/errors.js';
import { decodePicture } from '../../../src/images/decode.js';
import { type FakePng, pngFile, solidPng } from '../../fakes/png.js';

const decode = (bytes: Uint8Array, maxPixels = 1e6) => decodePicture(bytes, 'p.png', maxPixels);
const pixels = async (png: FakePng) => [...(await decode(pngFile(png))).rgb];

describe('PNG forms become RGB as Pillow reads them', () => {
  const forms: [string, FakePng, number[]][] = [
    ['RGB', { width: 2, height: 1, rows: [[1, 2, 3, 4, 5, 6]] }, [1, 2, 3, 4, 5, 6]],
    ['one pixel', { width: 1, height: 1, rows: [[9, 8, 7]] }, [9, 8, 7]],
    [
      'alpha is dropped, not blended',
      { width: 2, height: 1, colorType: 6, rows: [[10, 20, 30, 0, 40, 50, 60, 128]] },
      [10, 20, 30, 40, 50, 60],
    ],
    ['grey is repeated', { width: 2, height: 1, colorType: 0, rows: [[10, 200]] }, [10, 10, 10, 200, 200, 200]],
    ['grey with alpha', { width: 2, height: 1, colorType: 4, rows: [[10, 0, 200, 9]] }, [10, 10, 10, 200, 200, 200]],
    ['1-bit grey', { width: 2, height: 1, depth: 1, colorType: 0, rows: [[0b1000_0000]] }, [255, 255, 255, 0, 0, 0]],
    ['2-bit grey', { width: 2, height: 1, depth: 2, colorType: 0, rows: [[0b0110_0000]] }, [85, 85, 85, 170, 170, 170]],
    [
      'a palette with transparency',
      { width: 2, height: 1, colorType: 3, rows: [[0, 1]], palette: [1, 2, 3, 4, 5, 6], transparency: [0, 128] },
      [1, 2, 3, 4, 5, 6],
    ],
    [
      'a 1-bit palette',
      { width: 2, height: 1, depth: 1, colorType: 3, rows: [[0b0100_0000]], palette: [1, 2, 3, 4, 5, 6] },
      [1, 2, 3, 4, 5, 6],
    ],
    [
      'RGB with a transparent colour',
      { width: 2, height: 1, rows: [[1, 2, 3, 4, 5, 6]], transparency: [0, 1, 0, 2, 0, 3] },
      [1, 2, 3, 4, 5, 6],
    ],
    [
      '16-bit RGB loses its low bytes',
      { width: 1, height: 1, depth: 16, rows: [[0x12, 0xff, 0x34, 0, 0, 0x7f]] },
      [0x12, 0x34, 0],
    ],
    [
      '16-bit RGB with alpha',
      { width: 1, height: 1, depth: 16, colorType: 6, rows: [[0x12, 0xff, 0x34, 0, 0, 0x7f, 1, 1]] },
      [0x12, 0x34, 0],
    ],
    [
      '16-bit grey is clipped to 255',
      { width: 3, height: 1, depth: 16, colorType: 0, rows: [[0, 0x34, 1, 0, 0xff, 0xff]] },
      [52, 52, 52, 255, 255, 255, 255, 255, 255],
    ],
    [
      '16-bit grey with a transparent value is clipped as well',
      { width: 2, height: 1, depth: 16, colorType: 0, rows: [[0, 0x34, 1, 0]], transparency: [0, 0x34] },
      [52, 52, 52, 255, 255, 255],
    ],
    [
      '16-bit grey with alpha loses its low bytes',
      { width: 1, height: 1, depth: 16, colorType: 4, rows: [[0x12, 0x34, 0, 0]] },
      [18, 18, 18],
    ],
  ];
  test.each(forms)('%s', async (_, png, expected) => {
    expect(await pixels(png)).toEqual(expected);
  });
});

describe('other formats', () => {
  const source = sharp({ create: { width: 9, height: 5, channels: 3, background: '#a05010' } });

  test('JPEG and WebP are read', async () => {
    for (const bytes of [
      await source.clone().jpeg().toBuffer(),
      await source.clone().webp({ lossless: true }).toBuffer(),
    ]) {
      const { width, height, rgb } = await decode(bytes);
      expect([width, height, rgb.length]).toEqual([9, 5, 135]);
      expect(Math.abs((rgb[0] as number) - 0xa0)).toBeLessThan(4);
    }
  });

  test('a rotation mark of a camera is ignored', async () => {
    const turned = await source.clone().withMetadata({ orientation: 6 }).jpeg().toBuffer();
    const { width, height } = await decode(turned);
    expect([width, height]).toEqual([9, 5]);
  });

  test('an embedded colour profile does not change numbers', async () => {
    const tagged = await source.clone().withIccProfile('p3').png().toBuffer();
    const stored = await sharp(tagged, { ignoreIcc: true }).raw().toBuffer();
    const managed = await sharp(tagged).raw().toBuffer();
    expect([...managed]).not.toEqual([...stored]);
    expect([...(await decode(tagged)).rgb]).toEqual([...stored]);
  });

  test('CMYK is converted without a profile', async () => {
    const bytes = await source.clone().toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer();
    const ink = await sharp(bytes, { ignoreIcc: true })
      .pipelineColourspace('cmyk')
      .toColourspace('cmyk')
      .raw()
      .toBuffer();
    const [cyan, magenta, yellow, black] = ink as unknown as [number, number, number, number];
    const expected = [cyan, magenta, yellow].map((value) => ((255 - value) * (255 - black)) / 255);
    const { rgb } = await decode(bytes);
    for (const [channel, value] of expected.entries())
      expect(Math.abs((rgb[channel] as number) - value)).toBeLessThanOrEqual(1);
  });
});

describe('keys', () => {
  test('equal pixels have equal keys, whatever file held them', async () => {
    const a = await decode(solidPng(2, 3, [1, 2, 3]));
    const b = await decode(
      await sharp(solidPng(2, 3, [1, 2, 3]))
        .webp({ lossless: true })
        .toBuffer(),
    );
    expect(a.key).toBe(b.key);
  });

  test('another shape of the same bytes has another key', async () => {
    expect((await decode(solidPng(2, 3, [1, 2, 3]))).key).not.toBe((await decode(solidPng(3, 2, [1, 2, 3]))).key);
  });
});

describe('what is refused in one line', () => {
  const good = solidPng(40, 30, [1, 2, 3]);
  const small = solidPng(9, 9, [1, 2, 3]);
  const cutGif = Buffer.from('GIF89a\x05\0\x05\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x05\0\x05\0\0\x02', 'latin1');
  test.each([
    ['text', Buffer.from('hello'), /^p\.png: picture: no format that is known, wanted PNG, JPEG, WebP, GIF or TIFF$/],
    ['an SVG', Buffer.from('<svg width="4" height="4"/>'), /: SVG or another text, which is not read, wanted PNG/],
    ['nothing', new Uint8Array(), /no format that is known/],
    ['a BMP', Buffer.from('BM not read at all'), /^p\.png: picture: BMP, which is not read, wanted PNG, JPEG/],
    ['an AVIF', Buffer.from('\0\0\0\x1cftypavif and more'), /AVIF or HEIC, which is not read/],
    [
      'a Git LFS pointer',
      Buffer.from('version https://git-lfs.github.com/spec/v1\n'),
      /a Git LFS pointer, wanted the picture itself/,
    ],
    ['a cut GIF', cutGif, /damaged GIF data/],
    ['a cut PNG', small.subarray(0, small.length - 20), /damaged PNG data/],
    ['a PNG mark alone', good.subarray(0, 8), /damaged PNG data/],
    ['a picture over the limit', good, /^p\.png: pixels: 40 x 30 = 1200, wanted at most 1000$/],
  ])('%s', async (_, bytes, message) => {
    const failure = await decode(bytes, 1000).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(UserError);
    expect((failure as Error).message).toMatch(message);
    expect((failure as Error).message).not.toContain('\n');
  });

  test('a huge size in the header costs nothing', async () => {
    const bomb = pngFile({ width: 50_000, height: 50_000, rows: [[0]] });
    const before = process.memoryUsage().rss;
    await expect(decode(bomb)).rejects.toThrow('50000 x 50000');
    expect(process.memoryUsage().rss - before).toBeLessThan(200e6);
  });

  test.each([
    [
      '16-bit samples',
      (image: Sharp) => image.toColourspace('rgb16').tiff({ compression: 'lzw' }),
      /TIFF with ushort samples, which is not read/,
    ],
    ['CMYK', (image: Sharp) => image.toColourspace('cmyk').tiff(), /TIFF with cmyk colours/],
    [
      'an alpha channel',
      (image: Sharp) => image.ensureAlpha().tiff({ compression: 'lzw' }),
      /TIFF with an alpha channel/,
    ],
    ['an orientation', (image: Sharp) => image.withMetadata({ orientation: 6 }).tiff(), /TIFF with an orientation/],
  ])('a TIFF with %s', async (_, write, message) => {
    const file = await write(sharp({ create: { width: 5, height: 4, channels: 3, background: '#a05010' } })).toBuffer();
    await expect(decode(file)).rejects.toThrow(message);
  });

  test('a cut JPEG', async () => {
    const noise = Buffer.from(Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 7919) % 251));
    const jpeg = await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } })
      .jpeg()
      .toBuffer();
    await expect(decode(jpeg.subarray(0, jpeg.length / 2))).rejects.toThrow('damaged JPEG data');
  });
});
