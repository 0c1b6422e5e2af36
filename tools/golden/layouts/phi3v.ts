// Golden folders of Phi-3.5-vision: cases/ with case.json and expected.safetensors, sft/expected.json,
// prm/expected.json.
import { join } from 'node:path';
import { z } from 'zod';
import type { Backbone, Content } from '#src/backbones/backbone.js';
import { type ModelFolder, parseSideFile } from '#src/checkpoint/folder.js';
import { checked } from '#src/core/schema.js';
import {
  foldersIn,
  type GoldenMessage,
  idsSchema,
  normsSchema,
  optimizerSchema,
  promptSchema,
  readExpected,
  readGolden,
  readPictures,
  toConversation,
  whereThere,
} from '../files.js';
import type { CaseInput, CasePrompt, CutInput, FixtureLayout, PrmInput, PromptInput, SftInput } from '../inputs.js';
import type { Numbers } from '../numbers.js';
import { pictureStages, recordedSchema, textStages } from './phi3v-stages.js';

const TOLERANCE = 1e-4;
const LOSS_TOLERANCE = 1e-5;
const NEW_LOSS_TOLERANCE = 2e-4;
const UPDATE_TOLERANCE = 1e-3;
const NOISE_BELOW = 1e-6;
const TAG = /<\|image_(\d+)\|>/;

const prompt = promptSchema.extend({
  ...recordedSchema.shape,
  image_sizes_hw: z.array(z.tuple([z.number().int(), z.number().int()])).optional(),
  num_img_tokens: z.array(z.number().int()).optional(),
  response_ids: idsSchema.default([]),
  greedy: idsSchema.default([]),
});
type Prompt = z.infer<typeof prompt>;
const schemas = {
  /** A case holds one prompt, or several under `rows`. */
  case: z.union([z.object({ rows: z.array(prompt).min(1) }), prompt]),
  sft: prompt.extend({
    response_text: z.string().optional(),
    optimizer: optimizerSchema.extend({
      name: z.literal('AdamW'),
      weight_decay_on: z.literal('ndim>=2'),
      clip: z.number().nullable(),
      step: z.literal(1),
    }),
    loss: z.number(),
    new_loss: z.number(),
    grad_norm: normsSchema,
    delta_norm: normsSchema,
    no_grad_params: z.array(z.string()).default([]),
    rounding_noise_params: z.array(z.string()).default([]),
  }),
  tokenizer: z.object({
    added_tokens_decoder: z.record(z.string(), z.object({ content: z.string(), rstrip: z.boolean().default(false) })),
  }),
  prm: prompt.extend({
    token_labels: z.array(z.number()),
    scores: z.array(z.number()),
    loss: z.number(),
    grad_norm: normsSchema,
    frozen_prefix: z.string(),
  }),
};

/** What every prompt of a folder is read with. */
interface Source {
  readonly folder: ModelFolder;
  readonly backbone: Backbone;
  /** Special strings that take the white space after them. */
  readonly swallowing: readonly string[];
}

export const layout: FixtureLayout = {
  async read(folder, backbone) {
    const { dir } = folder;
    const source = { folder, backbone, swallowing: swallowingOf(folder) };
    const cases: CaseInput[] = [];
    for (const name of await foldersIn(join(dir, 'cases')))
      cases.push(await readCase(source, join(dir, 'cases', name), `cases/${name}`));
    return {
      cases,
      extras: [],
      sft: await whereThere(join(dir, 'sft', 'expected.json'), (file) => readSft(source, file, join(dir, 'sft'))),
      prm: await whereThere(join(dir, 'prm', 'expected.json'), (file) => readPrm(source, file, join(dir, 'prm'))),
    };
  },
};

function swallowingOf(folder: ModelFolder): string[] {
  const name = 'tokenizer_config.json';
  const parsed = parseSideFile(folder, name, true);
  if (parsed === undefined) return [];
  const { added_tokens_decoder: added } = checked(schemas.tokenizer, parsed, join(folder.dir, name));
  return Object.values(added).flatMap(({ content, rstrip }) => (rstrip ? [content] : []));
}

async function readCase(source: Source, dir: string, place: string): Promise<CaseInput> {
  const golden = await readGolden(join(dir, 'case.json'), schemas.case);
  const expected = await readExpected(join(dir, 'expected.safetensors'));
  if (!('rows' in golden)) return { place, prompts: [await casePrompt(source, dir, place, golden, expected)] };
  const prompts: CasePrompt[] = [];
  for (const [index, row] of golden.rows.entries())
    prompts.push(await casePrompt(source, dir, `${place} ${index}`, row, ofRow(expected, index)));
  return { place, prompts };
}

/** The tensors of one row of a batch, without its prefix. */
function ofRow(expected: ReadonlyMap<string, Numbers>, index: number): Map<string, Numbers> {
  const prefix = `row${index}.`;
  const own = [...expected].filter(([name]) => name.startsWith(prefix));
  return new Map(own.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
}

async function casePrompt(
  source: Source,
  dir: string,
  place: string,
  golden: Prompt,
  expected: ReadonlyMap<string, Numbers>,
): Promise<CasePrompt> {
  const files = golden.messages.flatMap(({ images }) => images);
  return {
    ...(await promptInput(source, dir, place, golden)),
    stages: [...(await pictureStages(source.folder, dir, files, golden, expected)), ...textStages(golden, expected)],
    response: golden.response_ids,
    logprobs: expected.get('response_logprobs')?.data,
    greedy: golden.greedy,
  };
}

async function promptInput(
  { backbone, swallowing }: Source,
  dir: string,
  place: string,
  golden: Prompt,
): Promise<PromptInput> {
  const { imageToken } = backbone;
  // Fixtures number the ids by picture, -1 for the first; one id stands for all of them here.
  const image = 'id' in imageToken ? imageToken.id : -1;
  return {
    place,
    conversation: toConversation(golden.messages, (message, { lone }) => write(message, lone, backbone)),
    pictures: await readPictures(dir, golden.messages),
    // The text of the fixtures is what the reference's tokenizer gets: without begin marks, with the white space that
    // special strings will take, and with tags for pictures.
    text: {
      wanted: backbone.begin + swallowed(golden.prompt_text, swallowing),
      picture: (_, index) => [{ text: `<|image_${index + 1}|>` }],
    },
    ids: golden.input_ids.map((id) => (id < 0 ? image : id)),
    spans: golden.image_token_spans,
    cuts: cutsOf(golden),
  };
}

/** `text` without the white space after each of `marks`. */
function swallowed(text: string, marks: readonly string[]): string {
  return marks.reduce(
    (rest, mark) =>
      rest
        .split(mark)
        .map((part, i) => (i === 0 ? part : part.trimStart()))
        .join(mark),
    text,
  );
}

/** Tags say where pictures stand; a lone question with all of them in front, one a line, is what `ask` writes. */
function write({ content, images }: GoldenMessage, lone: boolean, backbone: Backbone): Content {
  const front = images.map((_, index) => `<|image_${index + 1}|>\n`).join('');
  if (lone && images.length > 0 && content.startsWith(front))
    return backbone.ask(content.slice(front.length), images.length);
  return content.split(TAG).map((part, i) => (i % 2 === 0 ? { text: part } : { image: Number(part) - 1 }));
}

function cutsOf({ image_sizes_hw: sizes, num_img_tokens: tokens, pixel_values_shape: shape }: Prompt): CutInput[] {
  const side = shape?.at(-1);
  const cuts: CutInput[] = [];
  if (sizes && side)
    cuts.push({ stage: 'image_sizes_hw', of: ({ rows, cols }) => [rows * side, cols * side], wanted: sizes.flat() });
  if (tokens) cuts.push({ stage: 'num_img_tokens', of: (layout) => [layout.tokens], wanted: tokens });
  return cuts;
}

async function readSft(source: Source, file: string, dir: string): Promise<SftInput> {
  const golden = await readGolden(file, schemas.sft);
  const { lr, betas, eps, weight_decay: weightDecay, clip } = golden.optimizer;
  const untouched = new Set(golden.no_grad_params);
  return {
    prompt: await promptInput(source, dir, 'sft', golden),
    response: golden.response_ids,
    responseText: golden.response_text,
    optimizer: { lr, betas, eps, weightDecay, clip: clip ?? 0 },
    loss: { wanted: golden.loss, tolerance: LOSS_TOLERANCE },
    newLoss: { wanted: golden.new_loss, tolerance: NEW_LOSS_TOLERANCE },
    gradients: {
      stage: 'grad_norm',
      // Listed with a norm of 0, but the reference has no gradient there.
      wanted: Object.fromEntries(Object.entries(golden.grad_norm).filter(([name]) => !untouched.has(name))),
      tolerance: TOLERANCE,
      noiseBelow: NOISE_BELOW,
      noisy: golden.rounding_noise_params,
    },
    updates: {
      stage: 'delta_norm',
      wanted: golden.delta_norm,
      tolerance: UPDATE_TOLERANCE,
      noisy: golden.rounding_noise_params,
    },
    withoutGradient: golden.no_grad_params,
  };
}

async function readPrm(source: Source, file: string, dir: string): Promise<PrmInput> {
  const golden = await readGolden(file, schemas.prm);
  const head = await whereThere(join(dir, 'head.safetensors'), readExpected);
  return {
    prompt: await promptInput(source, dir, 'prm', golden),
    response: golden.response_ids,
    labels: golden.token_labels,
    head: [...(head ?? [])].map(([name, tensor]) => [name.replace(/^score_head\./, 'reward_head.'), tensor]),
    scores: golden.scores,
    loss: { wanted: golden.loss, tolerance: LOSS_TOLERANCE },
    gradients: {
      stage: 'grad_norm',
      wanted: Object.fromEntries(
        Object.entries(golden.grad_norm).map(([name, norm]) => [name.replace(/^head\./, 'reward_head.'), norm]),
      ),
      tolerance: TOLERANCE,
      noiseBelow: NOISE_BELOW,
    },
    frozen: [golden.frozen_prefix],
  };
}
