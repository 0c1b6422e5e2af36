// The resampler of extras/ as a whole model: a tower whose weights make it give the fixture's vectors, then the
// fixture's resampler.
import { z } from 'zod';
import type { Picture } from '#src/images/decode.js';
import { readExpected, readGolden } from '../files.js';
import type { ExtraInput, ModelChange } from '../inputs.js';

const count = z.number().int().positive();
const formula = z.object({ shape: z.array(count), t: z.number().int(), base: z.number(), amp: z.number() });
const schema = z.object({
  embed_dim: count,
  num_heads: count,
  num_queries: count,
  kv_dim: count,
  tgt_sizes: z.array(z.tuple([count, count])),
  parameters: z.array(formula.extend({ name: z.string() })),
  input: formula,
  /** The rule is code here, so the text that states it has to be the known one. */
  fill_rule: z.literal(
    'element i (row-major, from 0) of a tensor with number t: x = uint32(i + 1 + 1000003*t); x ^= x<<13; x ^= x>>17; x ^= x<<5; x *= 2654435769; x ^= x>>16 (all modulo 2^32); value = float32(base + (x/4294967296.0 - 0.5)*2*amp), computed in double',
  ),
});
type Resampler = z.infer<typeof schema>;

const LAYER_NORM_EPS = 1e-6;
const TOLERANCE = 1e-4;

/**
 * The tower of the changed model is four times as wide as the vectors x that the fixture feeds: its norm gets
 * (x, -x, s, -s) with s^2 = c - x^2, whose mean is 0 and whose variance is c / 2 whatever x is, and so gives x back.
 */
export async function readResampler(file: string, tensors: string, patch: number): Promise<ExtraInput[]> {
  const golden = await readGolden(file, schema);
  const wanted = (await readExpected(tensors)).get('output');
  if (!wanted) return [];
  const vectors = fill(golden.input);
  const slots = golden.tgt_sizes.map(([rows, cols]) => rows * cols);
  const area = Math.max(...slots) * patch ** 2;
  const pictures = golden.tgt_sizes.map((grid, i) => {
    const before = slots.slice(0, i).reduce((sum, patches) => sum + patches, 0);
    return markedPicture(grid, before, patch);
  });
  return [
    {
      place: 'extras/resampler_two_heads',
      change: {
        json: {
          'config.json': {
            hidden_size: golden.embed_dim,
            query_num: golden.num_queries,
            'vision_config.hidden_size': 4 * golden.kv_dim,
            'vision_config.num_attention_heads': 4,
          },
          // At this scale neither picture is resized.
          'preprocessor_config.json': {
            scale_resolution: Math.ceil(Math.sqrt(area)),
            image_feature_size: golden.num_queries,
          },
        },
        weights: weightsOf(golden, vectors, slots, patch),
      },
      examples: [
        {
          pictures: () => pictures,
          stages: [{ stage: 'resampler_output', from: ['resampler_output'], wanted, tolerance: TOLERANCE }],
        },
      ],
    },
  ];
}

/** Numbers of `fill_rule`. */
export function fill({ shape, t, base, amp }: z.infer<typeof formula>): Float32Array {
  const size = shape.reduce((product, dimension) => product * dimension, 1);
  return Float32Array.from({ length: size }, (_, i) => {
    let x = (i + 1 + 1000003 * t) >>> 0;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    x = Math.imul(x, 2654435769) >>> 0;
    x = (x ^ (x >>> 16)) >>> 0;
    return base + (x / 4294967296 - 0.5) * 2 * amp;
  });
}

/** Every patch of the grid is black but for its own mark; marks are counted through all pictures. */
function markedPicture([rows, cols]: readonly [number, number], before: number, patch: number): Picture {
  const [width, height] = [cols * patch, rows * patch];
  const rgb = new Uint8Array(width * height * 3);
  for (let k = 0; k < rows * cols; k++) {
    const [channel, y, x] = markOf(before + k, patch);
    const row = Math.floor(k / cols) * patch + y;
    rgb[(row * width + (k % cols) * patch + x) * 3 + channel] = 255;
  }
  return { width, height, rgb, key: `marked ${width} x ${height} from ${before}` };
}

/** Channel, row and column of the value that only the patch of this number has at 1; all others are at -1. */
function markOf(index: number, patch: number): [number, number, number] {
  return [Math.floor(index / patch ** 2), Math.floor(index / patch) % patch, index % patch];
}

function weightsOf(
  golden: Resampler,
  vectors: Float32Array,
  slots: readonly number[],
  patch: number,
): ModelChange['weights'] {
  const width = 4 * golden.kv_dim;
  const most = Math.max(...vectors.map(Math.abs)) ** 2;
  const inputs = towerInputs(golden, vectors, slots, most);
  const formulas = new Map(golden.parameters.map((parameter) => [parameter.name, parameter]));
  return (name, shape) => {
    if (name === 'vpm.embeddings.patch_embedding.weight') return embedding(inputs, width, patch);
    if (name === 'vpm.embeddings.patch_embedding.bias') {
      const sums = new Float64Array(width);
      for (const input of inputs) for (const [i, value] of input.entries()) sums[i] = (sums[i] as number) + value / 2;
      return Float32Array.from(sums);
    }
    if (name === 'vpm.post_layernorm.weight') return new Float32Array(width).fill(Math.sqrt(most / 2 + LAYER_NORM_EPS));
    // Layers that add nothing to what they get.
    if (name.startsWith('vpm.')) return zeros(shape);
    const parameter = formulas.get(name);
    if (!parameter) return undefined;
    return name === 'resampler.kv_proj.weight' ? widened(fill(parameter), golden.kv_dim) : fill(parameter);
  };
}

/** (x, -x, s, -s) for every patch of every picture. */
function towerInputs(
  { kv_dim: size, input }: Resampler,
  vectors: Float32Array,
  slots: readonly number[],
  most: number,
): number[][] {
  const longest = input.shape[1] as number;
  return slots.flatMap((patches, slice) =>
    Array.from({ length: patches }, (_, k) => {
      const start = (slice * longest + k) * size;
      const x = [...vectors.subarray(start, start + size)];
      const rest = x.map((value) => Math.sqrt(most - value * value));
      return [...x, ...x.map((value) => -value), ...rest, ...rest.map((value) => -value)];
    }),
  );
}

/** With marks at 1 and the rest at -1 a patch gives twice its own column less the sum of all, which the bias adds again. */
function embedding(inputs: readonly (readonly number[])[], width: number, patch: number): Float32Array {
  const values = new Float32Array(width * 3 * patch ** 2);
  for (const [index, input] of inputs.entries())
    for (const [i, value] of input.entries()) values[i * 3 * patch ** 2 + index] = value / 2;
  return values;
}

/** [E, d] -> [E, 4 d], zero where x itself is not. */
function widened(matrix: Float32Array, size: number): Float32Array {
  const wide = new Float32Array(matrix.length * 4);
  for (const [i, value] of matrix.entries()) wide[Math.floor(i / size) * 4 * size + (i % size)] = value;
  return wide;
}

function zeros(shape: readonly number[]): Float32Array {
  return new Float32Array(shape.reduce((product, size) => product * size, 1));
}
