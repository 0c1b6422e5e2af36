// Golden folders of Qwen2.5-VL, and of Qwen3-VL, which are laid out alike: cases/, sft/, prm/ with case.json and expected
// files, extra/ with tables.
import { join } from 'node:path';
import { z } from 'zod';
import type { Backbone, Content, Conversation } from '#src/backbones/backbone.js';
import type { ModelFolder } from '#src/checkpoint/folder.js';
import type { Picture } from '#src/images/decode.js';
import {
  foldersIn,
  idsSchema,
  normsSchema,
  optimizerSchema,
  readExpected,
  readGolden,
  readPicture,
  readTokenizer,
  whereThere,
  withoutEnd,
} from '../files.js';
import type { CaseInput, CasePrompt, ExtraInput, FixtureLayout, PrmInput, PromptInput, SftInput } from '../inputs.js';
import type { Numbers } from '../numbers.js';

const TOLERANCE = 1e-4;
/** In the order of computation; what is counted and the pixels are exact. */
const STAGES: readonly (readonly [stage: string, tolerance: number, from?: string])[] = [
  ['pixel_values', 0],
  ['window_index', 0],
  ['cu_window_seqlens', 0],
  ['patch_embed_output', TOLERANCE],
  ['position_embedding_output', TOLERANCE],
  ['vision_block_outputs', TOLERANCE],
  ['deepstack_features', TOLERANCE],
  ['projector_output', TOLERANCE],
  ['position_ids', 0],
  ['final_hidden', TOLERANCE, 'hidden'],
  ['logits', TOLERANCE],
];
/** Norms that rounding alone moves between float32 and float64. */
const LOOSE = 5e-3;

const name = z.string().regex(/^[\w.-]+$/);
const part = z.union([
  z.object({ type: z.literal('image'), image: name }),
  z.object({ type: z.literal('text'), text: z.string() }),
]);
const prompt = z.object({
  messages: z.array(
    z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.union([z.string(), z.array(part)]) }),
  ),
  prompt_text: z.string(),
  input_ids: idsSchema,
  image_files: z.array(name).default([]),
  image_grid_thw: z.array(idsSchema).default([]),
  image_token_spans: z.array(z.tuple([z.number().int(), z.number().int()])).default([]),
  response_ids: idsSchema.default([]),
  response_text: z.string().optional(),
  greedy: idsSchema.default([]),
});
type Prompt = z.infer<typeof prompt>;
const schemas = {
  case: z.union([z.object({ prompts: z.array(prompt).min(1) }), prompt]),
  sft: z.object({
    loss: z.number(),
    new_loss: z.number(),
    optimizer: optimizerSchema.extend({
      type: z.literal('AdamW'),
      decay_rule: z.literal('ndim >= 2'),
      grad_clip: z.number().nullable(),
    }),
    grad_l2: normsSchema,
    update_l2: normsSchema,
    parameters_without_gradient: z.array(z.string()),
    update_l2_loose: z.array(z.string()).default([]),
  }),
  prmCase: prompt.extend({ token_labels: z.array(z.number()) }),
  prm: z.object({
    scores: z.array(z.number()),
    loss: z.number(),
    grad_l2: normsSchema,
    parameters_without_gradient: z.array(z.string()),
    frozen: z.array(z.string().regex(/\*$/)),
  }),
  sizes: z.array(
    z.object({
      factor: z.number().int(),
      min_pixels: z.number().int(),
      max_pixels: z.number().int(),
      width_height_resizedwidth_resizedheight_tokens: z.array(
        z.tuple([z.number(), z.number(), z.number(), z.number(), z.number()]),
      ),
      refused_width_height: z.array(z.tuple([z.number(), z.number()])),
    }),
  ),
  positions: z.object({
    cases: z.array(
      z.object({
        segments: z.array(z.union([z.number().int(), z.tuple([z.number().int(), z.number().int()])])),
        position_ids: z.array(idsSchema),
      }),
    ),
  }),
  config: z.object({
    image_token_id: z.number().int(),
    vision_config: z.object({
      patch_size: z.number().int().default(14),
      spatial_merge_size: z.number().int().default(2),
    }),
  }),
};

export const layout: FixtureLayout = {
  async read({ dir, config }, backbone) {
    const extra = join(dir, 'extra');
    const sizes = await whereThere(join(extra, 'image_sizes.json'), readSizes);
    const positions = await whereThere(join(extra, 'position_ids.json'), (file) => readPositions(file, config));
    const { vision_config: vision } = schemas.config.parse(config);
    const reader: Reader = { backbone, merge: vision.spatial_merge_size };
    const cases: CaseInput[] = [];
    for (const folder of await foldersIn(join(dir, 'cases')))
      cases.push(await readCase(join(dir, 'cases', folder), `cases/${folder}`, reader));
    return {
      tokenizer: await whereThere(join(extra, 'tokenizer_cases.json'), readTokenizer),
      cases,
      extras: [...(sizes ?? []), ...(positions ? [positions] : [])],
      sft: await whereThere(join(dir, 'sft'), (folder) => readSft(folder, reader)),
      prm: await whereThere(join(dir, 'prm'), (folder) => readPrm(folder, reader)),
    };
  },
};

interface Reader {
  readonly backbone: Backbone;
  /** Patches a side of an image token. */
  readonly merge: number;
}

const limits = (min: number, max: number) => ({
  json: { 'preprocessor_config.json': { min_pixels: min, max_pixels: max } },
});

/** Sizes under the limits of the published models and of the folder. */
async function readSizes(file: string): Promise<ExtraInput[]> {
  const tables = await readGolden(file, schemas.sizes);
  return tables.map((table) => ({
    place: `extra/image_sizes ${table.min_pixels}`,
    change: limits(table.min_pixels, table.max_pixels),
    grids: {
      stage: `grids of ${table.factor}`,
      rows: table.width_height_resizedwidth_resizedheight_tokens.map(([width, height, w, h]) => ({
        width,
        height,
        cols: w / table.factor,
        rows: h / table.factor,
      })),
      refused: table.refused_width_height.map(([width, height]) => ({ width, height })),
    },
    examples: [],
  }));
}

/** Texts and pictures of given grids: pictures of exactly so many image tokens, and one id for all text. */
async function readPositions(file: string, config: ModelFolder['config']): Promise<ExtraInput> {
  const { cases } = await readGolden(file, schemas.positions);
  const { image_token_id: image, vision_config: vision } = schemas.config.parse(config);
  const cell = vision.patch_size * vision.spatial_merge_size;
  return {
    place: 'extra/position_ids',
    change: limits(1, 2 ** 30),
    examples: cases.map(({ segments, position_ids: wanted }) => ({
      ids: segments.flatMap((segment) =>
        typeof segment === 'number'
          ? new Array<number>(segment).fill(1)
          : new Array<number>(segment[0] * segment[1]).fill(image),
      ),
      pictures: () =>
        segments.flatMap((segment): Picture[] => {
          if (typeof segment === 'number') return [];
          const [height, width] = [segment[0] * cell, segment[1] * cell];
          return [{ width, height, rgb: new Uint8Array(3 * width * height), key: `${width} x ${height}` }];
        }),
      stages: [{ stage: 'position_ids', from: ['position_ids'], wanted: matrix(wanted), tolerance: 0 }],
    })),
  };
}

const matrix = (rows: readonly (readonly number[])[]): Numbers => ({
  shape: [rows.length, rows[0]?.length ?? 0],
  data: rows.flat(),
});

async function readCase(dir: string, place: string, reader: Reader): Promise<CaseInput> {
  const golden = await readGolden(join(dir, 'case.json'), schemas.case);
  const expected = await readExpected(join(dir, 'expected.safetensors'));
  if (!('prompts' in golden)) return { place, prompts: [await casePrompt(dir, place, golden, expected, '', reader)] };
  const prompts: CasePrompt[] = [];
  for (const [index, one] of golden.prompts.entries())
    prompts.push(await casePrompt(dir, `${place} ${index}`, one, expected, `prompt${index}.`, reader));
  return { place, prompts };
}

async function casePrompt(
  dir: string,
  place: string,
  golden: Prompt,
  expected: ReadonlyMap<string, Numbers>,
  prefix: string,
  reader: Reader,
): Promise<CasePrompt> {
  const stages = STAGES.flatMap(([stage, tolerance, from = stage]) => {
    const wanted = expected.get(prefix + stage);
    // Without pictures there is nothing before the language model.
    return wanted && wanted.data.length > 0 ? [{ stage, from: [from], wanted, tolerance }] : [];
  });
  return {
    ...(await promptInput(dir, place, golden, reader)),
    stages,
    response: golden.response_ids,
    logprobs: expected.get(`${prefix}response_logprobs`)?.data,
    greedy: golden.greedy,
  };
}

async function promptInput(dir: string, place: string, golden: Prompt, { merge }: Reader): Promise<PromptInput> {
  const pictures: Picture[] = [];
  for (const file of golden.image_files) pictures.push(await readPicture(join(dir, file)));
  return {
    place,
    conversation: conversationOf(golden.messages),
    pictures,
    text: { wanted: golden.prompt_text },
    ids: golden.input_ids,
    spans: golden.image_token_spans,
    cuts: [
      {
        stage: 'image_grid_thw',
        of: ({ cols, rows }) => [1, rows * merge, cols * merge],
        wanted: golden.image_grid_thw.flat(),
      },
    ],
  };
}

/** Pictures stand where the parts put them. */
function conversationOf(messages: Prompt['messages']): Conversation {
  let image = 0;
  const contentOf = (content: Prompt['messages'][number]['content']): Content => {
    if (typeof content === 'string') return [{ text: content }];
    return content.map((part) => (part.type === 'image' ? { image: image++ } : { text: part.text }));
  };
  let system: string | undefined;
  const turns: { role: 'user' | 'assistant'; content: Content }[] = [];
  for (const { role, content } of messages) {
    if (role === 'system')
      system = contentOf(content)
        .map((part) => ('text' in part ? part.text : ''))
        .join('');
    else turns.push({ role, content: contentOf(content) });
  }
  return { ...(system !== undefined && { system }), turns };
}

async function readSft(dir: string, reader: Reader): Promise<SftInput> {
  const golden = await readGolden(join(dir, 'case.json'), prompt);
  const expected = await readGolden(join(dir, 'expected.json'), schemas.sft);
  const { lr, betas, eps, weight_decay: weightDecay, grad_clip: clip } = expected.optimizer;
  return {
    prompt: await promptInput(dir, 'sft', golden, reader),
    response: golden.response_ids,
    responseText: withoutEnd(golden.response_text, reader.backbone.endOfTurn),
    optimizer: { lr, betas, eps, weightDecay, clip: clip ?? 0 },
    loss: { wanted: expected.loss, tolerance: TOLERANCE },
    newLoss: { wanted: expected.new_loss, tolerance: TOLERANCE },
    gradients: { stage: 'grad_l2', wanted: expected.grad_l2, tolerance: TOLERANCE, floor: 1 },
    updates: {
      stage: 'update_l2',
      wanted: expected.update_l2,
      tolerance: TOLERANCE,
      loose: { names: expected.update_l2_loose, tolerance: LOOSE },
    },
    withoutGradient: expected.parameters_without_gradient,
  };
}

async function readPrm(dir: string, reader: Reader): Promise<PrmInput> {
  const golden = await readGolden(join(dir, 'case.json'), schemas.prmCase);
  const expected = await readGolden(join(dir, 'expected.json'), schemas.prm);
  const tensors = await readExpected(join(dir, 'expected.safetensors'));
  return {
    prompt: await promptInput(dir, 'prm', golden, reader),
    response: golden.response_ids,
    labels: golden.token_labels,
    head: ['reward_head.weight', 'reward_head.bias'].map((name) => [name, tensors.get(name) as Numbers] as const),
    scores: expected.scores,
    loss: { wanted: expected.loss, tolerance: TOLERANCE },
    gradients: { stage: 'grad_l2', wanted: expected.grad_l2, tolerance: TOLERANCE, floor: 1 },
    frozen: expected.frozen.map((prefix) => prefix.slice(0, -1)),
    withoutGradient: expected.parameters_without_gradient,
  };
}
