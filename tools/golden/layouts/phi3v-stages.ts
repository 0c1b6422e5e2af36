// Stages of a Phi-3.5-vision case: fixtures keep samples of large tensors, sums of pixels and the padded 8-bit
// pictures.
import { join } from 'node:path';
import { z } from 'zod';
import { type ModelFolder, parseSideFile } from '#src/checkpoint/folder.js';
import { checked } from '#src/core/schema.js';
import { idsSchema, readPicture, whereThere } from '../files.js';
import type { StageInput } from '../inputs.js';
import { ALL, lastRows, list, logSumExp, maximum, type Numbers, perRow, rowsOf, type Take, taken } from '../numbers.js';

/** Vision part and logits agree this well in float32, relative to the largest number of their stage. */
const TOLERANCE = 1e-5;
/** Of means over the pixels of a crop, which are computed in float64. */
const MEAN_TOLERANCE = 1e-6;

/** What case.json itself records of the network. */
export const recordedSchema = z.object({
  pixel_stats: z.array(z.array(z.object({ sum: z.array(z.number()), sumsq: z.array(z.number()) }))).optional(),
  pixel_values_shape: idsSchema.optional(),
  prompt_logit_positions: idsSchema.optional(),
  prompt_argmax: idsSchema.optional(),
});
type Recorded = z.infer<typeof recordedSchema>;
type Expected = ReadonlyMap<string, Numbers>;

const triple = z.tuple([z.number(), z.number(), z.number()]);
const normalisationSchema = z.object({ image_mean: triple, image_std: triple });
type Normalisation = z.infer<typeof normalisationSchema>;

/** Pixels, tower and projected tokens of every picture. `files`: the pictures, in order. */
export async function pictureStages(
  folder: ModelFolder,
  dir: string,
  files: readonly string[],
  recorded: Recorded,
  expected: Expected,
): Promise<StageInput[]> {
  const padded: StageInput[] = [];
  for (const [index, file] of files.entries()) {
    const name = `hd_${file.replace(/\.\w+$/, '')}.png`;
    const stage = await whereThere(join(dir, name), (path) => paddedPicture(path, name, index, folder));
    if (stage) padded.push(stage);
  }
  return [...padded, ...files.flatMap((_, index) => pixelMeans(index, recorded)), ...sampledStages(expected)];
}

/** The 8-bit picture after scaling and padding, put together again from the normalised tiles. */
async function paddedPicture(path: string, stage: string, index: number, folder: ModelFolder): Promise<StageInput> {
  const { width, height, rgb } = await readPicture(path);
  const file = 'preprocessor_config.json';
  const normalisation = checked(normalisationSchema, parseSideFile(folder, file), join(folder.dir, file));
  return {
    stage,
    from: [`pixel_values.${index}`],
    pick: (tiles) => bytesOf(tiles, width, height, normalisation),
    wanted: { shape: [height, width, 3], data: rgb },
    tolerance: 0,
  };
}

/** Tiles [1 + rows x cols, 3, side, side], the global view first, as a picture [height, width, 3] of 8-bit values. */
function bytesOf(
  { shape, data }: Numbers,
  width: number,
  height: number,
  { image_mean: mean, image_std: std }: Normalisation,
): Numbers {
  const side = shape[3] as number;
  const cols = width / side;
  if (shape[0] !== 1 + cols * (height / side))
    throw new Error(`shape [${shape}], wanted the tiles of ${width} x ${height}`);
  const bytes = new Uint8Array(width * height * 3);
  let at = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const tile = 1 + Math.floor(y / side) * cols + Math.floor(x / side);
      for (let channel = 0; channel < 3; channel++) {
        const pixel = data[((tile * 3 + channel) * side + (y % side)) * side + (x % side)] as number;
        bytes[at++] = Math.round((pixel * (std[channel] as number) + (mean[channel] as number)) * 255);
      }
    }
  }
  return { shape: [height, width, 3], data: bytes };
}

/** Sums and sums of squares per crop and channel, as means. */
function pixelMeans(index: number, { pixel_stats: stats, pixel_values_shape: shape }: Recorded): StageInput[] {
  const crops = stats?.[index];
  if (!crops || !shape) return [];
  const [height, width] = shape.slice(-2) as [number, number];
  const wanted = crops.flatMap(({ sum, sumsq }) => [...sum, ...sumsq]).map((total) => total / (height * width));
  return [
    {
      stage: `pixel_stats.${index}`,
      from: [`pixel_values.${index}`],
      pick: meansOf,
      wanted: { shape: [crops.length, 2, 3], data: wanted },
      tolerance: MEAN_TOLERANCE,
    },
  ];
}

/** [T, 3, H, W] -> [T, 2, 3]: means of the values, then of their squares. */
function meansOf({ shape, data }: Numbers): Numbers {
  const [tiles = 0, , height = 0, width = 0] = shape;
  const means = new Float64Array(tiles * 2 * 3);
  for (let plane = 0; plane < tiles * 3; plane++) {
    let sum = 0;
    let squares = 0;
    for (let i = plane * height * width; i < (plane + 1) * height * width; i++) {
      const value = data[i] as number;
      sum += value;
      squares += value * value;
    }
    const at = Math.floor(plane / 3) * 6 + (plane % 3);
    means[at] = sum / (height * width);
    means[at + 3] = squares / (height * width);
  }
  return { shape: [tiles, 2, 3], data: means };
}

/** Names of stored samples, in the order of computation, and what they take of the whole. `step` is 1 where the name has none. */
const SAMPLES: readonly { name: RegExp; takes(step: number): readonly Take[] }[] = [
  { name: /^(?<whole>pixel_values\.\d+)\.global_s(?<step>\d+)$/, takes: (step) => [0, ALL, [0, step], [0, step]] },
  { name: /^(?<whole>pixel_values\.\d+)\.global_row(?<step>\d+)$/, takes: (row) => [0, ALL, row, ALL] },
  { name: /^(?<whole>pixel_values\.\d+)\.local_s(?<step>\d+)$/, takes: (step) => [[1, 1], ALL, [5, step], [9, step]] },
  { name: /^vision_tower_output(_s(?<step>\d+))?(?<picture>\.\d+)$/, takes: (step) => [ALL, [0, step], ALL] },
  { name: /^image_embeds(_s(?<step>\d+))?(?<picture>\.\d+)$/, takes: (step) => [[0, step], ALL] },
];

function sampledStages(expected: Expected): StageInput[] {
  return SAMPLES.flatMap(({ name, takes }) => {
    const stored = [...expected].filter(([stage]) => name.test(stage)).sort(([a], [b]) => a.localeCompare(b));
    return stored.map(([stage, wanted]): StageInput => {
      const { whole, step = '1', picture = '' } = name.exec(stage)?.groups ?? {};
      return {
        stage,
        from: [whole ?? stage.replace(/(_s\d+)?\.\d+$/, '') + picture],
        pick: (found) => taken(found, takes(Number(step))),
        wanted,
        tolerance: toleranceOf(wanted),
      };
    });
  });
}

/** Hidden states at the last position and logits at every one. */
export function textStages(recorded: Recorded, expected: Expected): StageInput[] {
  const { prompt_logit_positions: positions, prompt_argmax: best } = recorded;
  const hidden = expected.get('hidden_last');
  // One for all that follows from the logits.
  const logitTolerance = toleranceOf(expected.get('prompt_logits') ?? list([]));
  const logits = (stage: string, wanted: Numbers | undefined, pick: (all: Numbers) => Numbers): StageInput[] =>
    wanted ? [{ stage, from: ['logits'], pick, wanted, tolerance: logitTolerance }] : [];
  return [
    ...(hidden ? hiddenStages(hidden) : []),
    ...logits('prompt_logits', positions && expected.get('prompt_logits'), (all) => rowsOf(all, positions ?? [])),
    ...logits('prompt_lse', expected.get('prompt_lse'), (all) => perRow(all, logSumExp)),
    ...logits('prompt_max', expected.get('prompt_max'), (all) => perRow(all, maximum)),
    // How far the logit that was largest in the reference is below the largest here: two may be nearly equal.
    ...logits('prompt_argmax', best && list(best.map(() => 0)), (all) =>
      perRow(all, (row, index) => maximum(row) - (row[best?.[index] as number] as number)),
    ),
  ];
}

/** The engine gives the first row, the embedding, and the last, after the final norm. */
function hiddenStages(hidden: Numbers): StageInput[] {
  const last = (all: Numbers): Numbers => lastRows(all, 1);
  const layers = (hidden.shape[0] as number) - 1;
  const stage = (index: number, from: string): StageInput => {
    const wanted = rowsOf(hidden, [index]);
    return { stage: `hidden_last.${index}`, from: [from], pick: last, wanted, tolerance: toleranceOf(wanted) };
  };
  return [stage(0, 'embeddings'), stage(layers, 'hidden')];
}

function toleranceOf({ data }: Numbers): number {
  return TOLERANCE * Array.from(data).reduce((most, value) => Math.max(most, Math.abs(value)), 1);
}
