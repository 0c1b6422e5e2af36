// Pictures as the vision tower sees them, against what Pillow gives for the same pixels (test/native/fixtures).
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addon, type NativeModel } from '../../src/engine/binding.js';
import { open, prompt, removeTemporary } from './tiny-model.js';

interface Fixture {
  readonly cases: readonly { readonly width: number; readonly height: number; readonly rgb: string }[];
}
const { cases } = JSON.parse(readFileSync(new URL('fixtures/pillow-resize.json', import.meta.url), 'utf8')) as Fixture;
const MEAN = [0.485, 0.456, 0.406];
const STD = [0.229, 0.224, 0.225];

let model: NativeModel;
beforeAll(async () => {
  model = await open();
});
afterAll(async () => {
  await model.dispose();
  removeTemporary();
});

function picture(width: number, height: number) {
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++) rgb[(y * width + x) * 3 + c] = (x * 37 + y * 59 + c * 101 + ((x * y) % 23) * 7) % 256;
  return { width, height, rgb, key: `${width}x${height}` };
}

async function tiles(width: number, height: number): Promise<Float32Array[]> {
  const asked = prompt(model, 1, [picture(width, height)]);
  const { pixel_values } = await addon().checks.inspect(model, { ...asked, response: new Int32Array(0) }, [
    'pixel_values',
  ]);
  const floats = 3 * 28 * 28;
  return Array.from({ length: pixel_values?.shape[0] ?? 0 }, (_, i) =>
    (pixel_values?.data ?? new Float32Array()).slice(i * floats, (i + 1) * floats),
  );
}

describe('a picture of one tile', () => {
  test.each(cases)(
    'of $width x $height pixels is resized as Pillow does, bit for bit',
    async ({ width, height, rgb }) => {
      const expected = Buffer.from(rgb, 'base64');
      // The thumbnail, the last tile, is the whole picture; with one tile there is no thumbnail.
      const seen = (await tiles(width, height)).at(-1) ?? new Float32Array();
      for (let i = 0; i < 28 * 28; i++)
        for (let c = 0; c < 3; c++) {
          const grey = Math.fround((expected[i * 3 + c] ?? 0) / 255);
          const normal = Math.fround(Math.fround(grey - Math.fround(MEAN[c] ?? 0)) / Math.fround(STD[c] ?? 1));
          expect(seen[c * 28 * 28 + i]).toBe(normal);
        }
    },
  );
});

test('a wide picture is cut into tiles from left to right, with the thumbnail last', async () => {
  expect(model.imageLayout(112, 28)).toEqual({ cols: 4, rows: 1, tiles: 5, tokens: 20 });
  const parts = await tiles(112, 28);
  // At its own size nothing is resized: the tiles are the picture's columns.
  const { rgb } = picture(112, 28);
  parts.slice(0, 4).forEach((tile, col) => {
    const grey = Math.fround((rgb[(5 * 112 + col * 28 + 9) * 3] ?? 0) / 255);
    expect(tile[5 * 28 + 9]).toBe(Math.fround(Math.fround(grey - Math.fround(0.485)) / Math.fround(0.229)));
  });
  expect(parts).toHaveLength(5);
});
