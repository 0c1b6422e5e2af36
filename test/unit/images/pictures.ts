// PNG files of every form that the format has, written by hand, for the comparison with Pillow in pillow.test.ts.
import { type FakePng, pngFile } from '../../fakes/png.js';

/** Samples a pixel by colour type. */
const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const FORMS: readonly (readonly [name: string, colorType: number, depths: readonly number[]])[] = [
  ['grey', 0, [1, 2, 4, 8, 16]],
  ['RGB', 2, [8, 16]],
  ['palette', 3, [1, 2, 4, 8]],
  ['grey with alpha', 4, [8, 16]],
  ['RGB with alpha', 6, [8, 16]],
];
const SIZES = [
  [1, 1],
  [13, 7],
  [3000, 1],
  [1, 3000],
] as const;

/** Bytes without a pattern, the same every time. */
function noise(seed: number, count: number): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

/** Name of each file and its bytes. */
export function pngFiles(): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const [form, colorType, depths] of FORMS)
    for (const depth of depths)
      for (const [width, height] of SIZES)
        for (const transparent of colorType < 4 ? [false, true] : [false]) {
          const name = `${form}, ${depth} bits, ${width} x ${height}${transparent ? ', transparent' : ''}`;
          files.set(name, pngFile(picture(colorType, depth, width, height, transparent)));
        }
  return files;
}

function picture(colorType: number, depth: number, width: number, height: number, transparent: boolean): FakePng {
  const rowBytes = Math.ceil((width * depth * (CHANNELS[colorType] as number)) / 8);
  const seed = colorType * 100 + depth * 7 + width;
  const rows = Array.from({ length: height }, (_, y) => noise(seed + y * 65_537, rowBytes));
  const bare = { width, height, depth, colorType, rows };
  if (colorType === 3) {
    const palette = noise(seed + 1, 3 * 2 ** depth);
    return { ...bare, palette, ...(transparent && { transparency: noise(seed + 2, 2 ** depth - 1) }) };
  }
  // Two bytes a sample, of the first pixel: something is really transparent.
  const sample = depth === 16 ? (rows[0] as number[]).slice(0, 2 * (CHANNELS[colorType] as number)) : undefined;
  const samples = (rows[0] as number[]).slice(0, CHANNELS[colorType]);
  const first = sample ?? samples.flatMap((value) => [0, depth === 8 ? value : value >> (8 - depth)]);
  return { ...bare, ...(transparent && { transparency: first }) };
}
