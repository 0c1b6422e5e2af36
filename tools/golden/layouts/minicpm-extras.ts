// extras/ of MiniCPM-Llama3-V-2.5: slicing and positions at real size, a resampler with two heads, each as a changed
// tiny model.
import { join } from 'node:path';
import { z } from 'zod';
import type { ModelFolder } from '#src/checkpoint/folder.js';
import type { Picture } from '#src/images/decode.js';
import { readGolden, whereThere } from '../files.js';
import type { ExampleInput, ExtraInput, StageInput } from '../inputs.js';
import { list, type Numbers } from '../numbers.js';
import { readResampler } from './minicpm-resampler.js';

const count = z.number().int().positive();
const size = z.tuple([count, count]);
/** The rules are code here, so the text that states them has to be the known one. */
const slicingSchema = z.object({
  max_slice_nums: count,
  scale_resolution: count,
  patch_size: count,
  image_rule: z.literal(
    'pixel value of channel c at (x,y): (x*7 + y*13 + c*29 + (x*y)%31 + ((x/17 + y/11)%2)*90) % 256 with integer divisions',
  ),
  checksum_rule: z.literal(
    'over the 8-bit RGB values of a resized slice in row-major HWC order, index j from 0: sum = sum v[j]; weighted = sum v[j]*((j mod 65521)+1) mod 2^32; order: overview, then slices row by row',
  ),
  rows: z.array(
    z.object({
      width: count,
      height: count,
      grid_cols_rows: size.nullable(),
      overview_size: size,
      slice_size: size.nullable(),
      checksums: z.array(z.object({ sum: z.number(), weighted: z.number(), first12: z.array(z.number()) })).default([]),
    }),
  ),
});
type SlicingRow = z.infer<typeof slicingSchema>['rows'][number];
const positionsSchema = z.object({
  S: count,
  N_rounding_sensitive: z.array(count).default([]),
  tables: z.array(z.object({ N: count, starts: z.array(z.number().int()) })),
});

export async function readExtras({ dir, config }: ModelFolder): Promise<ExtraInput[]> {
  const extras = join(dir, 'extras');
  const slicing = await whereThere(join(extras, 'slicing_448.json'), readSlicing);
  const positions = await whereThere(join(extras, 'vision_positions_70.json'), (file) =>
    readPositions(file, config.patch_size as number),
  );
  const resampler = await whereThere(join(extras, 'resampler_two_heads.json'), (file) =>
    readResampler(file, join(extras, 'resampler_two_heads.safetensors'), config.patch_size as number),
  );
  return [...(slicing ?? []), ...(positions ?? []), ...(resampler ?? [])];
}

async function readSlicing(file: string): Promise<ExtraInput[]> {
  const { rows, ...rules } = await readGolden(file, slicingSchema);
  return [
    {
      place: 'extras/slicing_448',
      change: {
        json: {
          'preprocessor_config.json': {
            scale_resolution: rules.scale_resolution,
            max_slice_nums: rules.max_slice_nums,
            patch_size: rules.patch_size,
          },
        },
      },
      grids: {
        stage: `grids of ${rules.scale_resolution}`,
        rows: rows.map(({ width, height, grid_cols_rows: grid }) => ({
          width,
          height,
          cols: grid?.[0] ?? 1,
          rows: grid?.[1] ?? 1,
        })),
      },
      examples: rows.map((row) => slicedExample(row, rules.patch_size)),
    },
  ];
}

/** Patches of every slice, and the 8-bit picture behind its pixels where the fixture has checksums. */
function slicedExample(row: SlicingRow, patch: number): ExampleInput {
  const { width, height, grid_cols_rows: grid, slice_size: slice, checksums } = row;
  const cells = grid && slice ? new Array<readonly [number, number]>(grid[0] * grid[1]).fill(slice) : [];
  const sizes = [row.overview_size, ...cells];
  const from = sizes.map((_, i) => `pixel_values.${i}`);
  const counts = sizes.map(([w, h]) => (w * h) / patch ** 2);
  const stages: StageInput[] = [
    {
      stage: `slices of ${width} x ${height}`,
      from,
      pick: (...found) => list(found.map(({ shape }) => (shape[2] as number) / (shape[1] as number))),
      wanted: list(counts),
      tolerance: 0,
    },
    ...checksums.map(({ sum, weighted, first12 }, i) => ({
      stage: `pixels of ${width} x ${height}: ${i}`,
      from: [`pixel_values.${i}`],
      pick: (found: Numbers) => checksum(found, (sizes[i] as readonly number[])[0] as number, first12.length),
      wanted: list([sum, weighted, ...first12]),
      tolerance: 0,
    })),
  ];
  return { pictures: () => [ruledPicture(width, height)], stages };
}

/** The picture of `image_rule`. */
function ruledPicture(width: number, height: number): Picture {
  const rgb = new Uint8Array(width * height * 3);
  let at = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const base = x * 7 + y * 13 + ((x * y) % 31) + ((Math.floor(x / 17) + Math.floor(y / 11)) % 2) * 90;
      for (let channel = 0; channel < 3; channel++) rgb[at++] = (base + channel * 29) % 256;
    }
  }
  return { width, height, rgb, key: `ruled ${width} x ${height}` };
}

/** `checksum_rule` for normalised pixels [3, patch, patch x patches] of a slice of this width, then its first values. */
function checksum({ shape, data }: Numbers, width: number, first: number): Numbers {
  const [, patch = 0, length = 0] = shape;
  const cols = width / patch;
  const height = (length / patch / cols) * patch;
  let sum = 0;
  let weighted = 0;
  let index = 0;
  const begin: number[] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const column = (Math.floor(y / patch) * cols + Math.floor(x / patch)) * patch + (x % patch);
      for (let channel = 0; channel < 3; channel++) {
        const pixel = data[(channel * patch + (y % patch)) * length + column] as number;
        const value = Math.round((pixel * 0.5 + 0.5) * 255);
        if (index < first) begin.push(value);
        sum += value;
        weighted = (weighted + value * ((index++ % 65521) + 1)) % 2 ** 32;
      }
    }
  }
  return list([sum, weighted, ...begin]);
}

/** Models of one `scale_resolution` each: a picture one patch high keeps its size at the scale of its area. */
async function readPositions(file: string, patch: number): Promise<ExtraInput[]> {
  const { S: side, tables, N_rounding_sensitive: sensitive } = await readGolden(file, positionsSchema);
  const scaleOf = (patches: number): number => Math.ceil(patch * Math.sqrt(patches));
  const scales = [...new Set(tables.map(({ N }) => scaleOf(N)))];
  return scales.map((scale) => ({
    place: `extras/vision_positions_${side}`,
    change: {
      json: {
        'config.json': { 'vision_config.image_size': side * patch },
        'preprocessor_config.json': { scale_resolution: scale },
      },
    },
    examples: tables
      .filter(({ N }) => scaleOf(N) === scale)
      .map(({ N, starts }) => positionExample(N, starts, patch, sensitive.includes(N) ? 1 : 0)),
  }));
}

/** `tolerance`: 1 where float32 rounding, which differs between processors, decides about a patch. */
function positionExample(patches: number, starts: readonly number[], patch: number, tolerance: number): ExampleInput {
  const ids = new Float64Array(patches);
  for (const [bucket, start] of starts.entries()) if (start >= 0) ids.fill(bucket, start);
  const wanted = { shape: [1, patches], data: ids };
  const [width, height] = [patch * patches, patch];
  return {
    pictures: () => [{ width, height, rgb: new Uint8Array(width * height * 3), key: `black ${width} x ${height}` }],
    stages: [{ stage: `positions of ${patches}`, from: ['vision_position_ids'], wanted, tolerance }],
  };
}
