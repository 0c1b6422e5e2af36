// Golden folders of InternVL2: cases/, sft/, prm/ with case.json and expected files, extra/ with tables.
import { join } from 'node:path';
import { z } from 'zod';
import type { Backbone, Content } from '#src/backbones/backbone.js';
import {
  foldersIn,
  type GoldenMessage,
  idsSchema,
  type MessagePlace,
  normsSchema,
  optimizerSchema,
  promptSchema,
  readExpected,
  readGolden,
  readPictures,
  readTokenizer,
  toConversation,
  whereThere,
  withoutEnd,
} from '../files.js';
import type { CaseInput, CasePrompt, ExtraInput, FixtureLayout, PrmInput, PromptInput, SftInput } from '../inputs.js';
import { lastRows, type Numbers } from '../numbers.js';

const TOLERANCE = 1e-4;
/** In the order of computation; pixels are exact. */
const STAGES = {
  pixel_values: 0,
  vision_tower_output: TOLERANCE,
  pixel_shuffle_output: TOLERANCE,
  projector_output: TOLERANCE,
  logits: TOLERANCE,
};

const prompt = promptSchema.extend({
  tiles_per_image: z.array(z.number().int()).default([]),
  response_ids: idsSchema.default([]),
  response_text: z.string().optional(),
  greedy: idsSchema.default([]),
});
type Prompt = z.infer<typeof prompt>;
const schemas = {
  /** A case holds one prompt, or several under `prompts`. */
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
    grad_l2_qkv_bias_parts: normsSchema.default({}),
    update_l2_qkv_bias_parts: normsSchema.default({}),
  }),
  prmCase: prompt.extend({ token_labels: z.array(z.number()) }),
  prm: z.object({
    scores: z.array(z.number()),
    loss: z.number(),
    grad_l2: normsSchema,
    parameters_without_gradient: z.array(z.string()),
    frozen: z.string().regex(/\*$/),
  }),
  override: z.object({ config_overrides: z.record(z.string(), z.unknown()), input_ids: idsSchema }),
  tiling: z.array(
    z.object({
      image_size: z.number().int(),
      min_num: z.number().int(),
      max_num: z.number().int(),
      width_height_cols_rows: z.array(z.tuple([z.number(), z.number(), z.number(), z.number()])),
    }),
  ),
};

export const layout: FixtureLayout = {
  async read({ dir }, backbone) {
    const extra = join(dir, 'extra');
    const tokenizer = await whereThere(join(extra, 'tokenizer_cases.json'), readTokenizer);
    const tiling = await whereThere(join(extra, 'tiling_table.json'), readTiling);
    const cases: CaseInput[] = [];
    for (const name of await foldersIn(join(dir, 'cases')))
      cases.push(await readCase(join(dir, 'cases', name), `cases/${name}`, backbone));
    const overrides: ExtraInput[] = [];
    for (const name of await foldersIn(extra)) overrides.push(await readOverride(join(extra, name), `extra/${name}`));
    return {
      tokenizer: tokenizer && { ...tokenizer, begin: backbone.begin },
      cases,
      extras: [...(tiling ?? []), ...overrides],
      sft: await whereThere(join(dir, 'sft'), (folder) => readSft(folder, backbone)),
      prm: await whereThere(join(dir, 'prm'), (folder) => readPrm(folder, backbone)),
    };
  },
};

/** Each table is of one tile size: of a model of that size, small otherwise. */
async function readTiling(file: string): Promise<ExtraInput[]> {
  const tables = await readGolden(file, schemas.tiling);
  return tables.map((table, index) => ({
    place: `extra/tiling ${index}`,
    change: {
      json: {
        'config.json': {
          force_image_size: table.image_size,
          'vision_config.image_size': table.image_size,
          'vision_config.num_hidden_layers': 1,
          'llm_config.num_hidden_layers': 1,
          min_dynamic_patch: table.min_num,
          max_dynamic_patch: table.max_num,
        },
        'preprocessor_config.json': { size: table.image_size, crop_size: table.image_size },
      },
    },
    grids: {
      stage: `grids of ${table.image_size}`,
      rows: table.width_height_cols_rows.map(([width, height, cols, rows]) => ({ width, height, cols, rows })),
    },
    examples: [],
  }));
}

/** A prompt under a changed config; `logits_last_<n>` holds the logits of its last n positions. */
async function readOverride(dir: string, place: string): Promise<ExtraInput> {
  const golden = await readGolden(join(dir, 'case.json'), schemas.override);
  const expected = await readExpected(join(dir, 'expected.safetensors'));
  const logits = [...expected].filter(([name]) => name.startsWith('logits_last_'));
  const stages = logits.map(([, wanted]) => ({
    stage: 'logits',
    from: ['logits'],
    pick: (all: Numbers) => lastRows(all, wanted.shape[0] as number),
    wanted,
    tolerance: TOLERANCE,
  }));
  return {
    place,
    change: { json: { 'config.json': golden.config_overrides } },
    examples: [{ ids: golden.input_ids, pictures: () => [], stages }],
  };
}

async function readCase(dir: string, place: string, backbone: Backbone): Promise<CaseInput> {
  const golden = await readGolden(join(dir, 'case.json'), schemas.case);
  const expected = await readExpected(join(dir, 'expected.safetensors'));
  if (!('prompts' in golden)) return { place, prompts: [await casePrompt(dir, place, golden, expected, '', backbone)] };
  const prompts: CasePrompt[] = [];
  for (const [index, one] of golden.prompts.entries())
    prompts.push(await casePrompt(dir, `${place} ${index}`, one, expected, `prompt${index}.`, backbone));
  return { place, prompts };
}

async function casePrompt(
  dir: string,
  place: string,
  golden: Prompt,
  expected: ReadonlyMap<string, Numbers>,
  prefix: string,
  backbone: Backbone,
): Promise<CasePrompt> {
  const stages = Object.entries(STAGES).flatMap(([stage, tolerance]) => {
    const wanted = expected.get(prefix + stage);
    return wanted ? [{ stage, from: [stage], wanted, tolerance }] : [];
  });
  return {
    ...(await promptInput(dir, place, golden, backbone)),
    stages,
    response: golden.response_ids,
    logprobs: expected.get(`${prefix}response_logprobs`)?.data,
    greedy: golden.greedy,
  };
}

async function promptInput(dir: string, place: string, golden: Prompt, backbone: Backbone): Promise<PromptInput> {
  return {
    place,
    conversation: toConversation(golden.messages, (message, place) => write(message, place, backbone)),
    pictures: await readPictures(dir, golden.messages),
    // The text of the fixtures is without the begin mark, which the reference's tokenizer adds.
    text: { wanted: backbone.begin + golden.prompt_text },
    ids: golden.input_ids,
    spans: golden.image_token_spans,
    cuts: [{ stage: 'tiles_per_image', of: ({ tiles }) => [tiles], wanted: golden.tiles_per_image }],
  };
}

/** Each placeholder is the next picture; a lone question without one gets them in front. */
function write({ content, images }: GoldenMessage, { first, lone }: MessagePlace, backbone: Backbone): Content {
  const texts = images.length > 0 ? content.split(backbone.placeholder) : [content];
  if (texts.length === 1 && images.length > 0 && lone) return backbone.ask(content, images.length);
  return texts.flatMap((text, i) => (i === 0 ? [{ text }] : [{ image: first + i - 1 }, { text }]));
}

async function readSft(dir: string, backbone: Backbone): Promise<SftInput> {
  const golden = await readGolden(join(dir, 'case.json'), prompt);
  const expected = await readGolden(join(dir, 'expected.json'), schemas.sft);
  const { lr, betas, eps, weight_decay: weightDecay, grad_clip: clip } = expected.optimizer;
  const { grad_l2_qkv_bias_parts: gradientParts, update_l2_qkv_bias_parts: updateParts } = expected;
  return {
    prompt: await promptInput(dir, 'sft', golden, backbone),
    response: golden.response_ids,
    responseText: withoutEnd(golden.response_text, backbone.endOfTurn),
    optimizer: { lr, betas, eps, weightDecay, clip: clip ?? 0 },
    loss: { wanted: expected.loss, tolerance: TOLERANCE },
    newLoss: { wanted: expected.new_loss, tolerance: TOLERANCE },
    gradients: { stage: 'grad_l2', wanted: expected.grad_l2, tolerance: TOLERANCE, floor: 1 },
    gradientParts: parts('grad_l2 of parts', gradientParts, 1),
    // A packed bias with a key part has rounding noise for a gradient there, which Adam's first step turns into whole
    // steps: such a tensor is compared by its parts alone.
    updates: {
      stage: 'update_l2',
      wanted: expected.update_l2,
      tolerance: TOLERANCE,
      noisy: Object.keys(updateParts).map((name) => name.replace(/\[[qkv]\]$/, '')),
    },
    updateParts: parts('update_l2 of parts', updateParts, 0),
  };
}

/** The key part is rounding noise. */
function parts(stage: string, wanted: Readonly<Record<string, number>>, floor: number) {
  const noisy = Object.keys(wanted).filter((name) => name.endsWith('[k]'));
  return { stage, wanted, tolerance: TOLERANCE, floor, noisy };
}

async function readPrm(dir: string, backbone: Backbone): Promise<PrmInput> {
  const golden = await readGolden(join(dir, 'case.json'), schemas.prmCase);
  const expected = await readGolden(join(dir, 'expected.json'), schemas.prm);
  const tensors = await readExpected(join(dir, 'expected.safetensors'));
  return {
    prompt: await promptInput(dir, 'prm', golden, backbone),
    response: golden.response_ids,
    labels: golden.token_labels,
    head: [...tensors].filter(([name]) => name.startsWith('reward_head.')),
    scores: expected.scores,
    loss: { wanted: expected.loss, tolerance: TOLERANCE },
    gradients: { stage: 'grad_l2', wanted: expected.grad_l2, tolerance: TOLERANCE, floor: 1 },
    frozen: [expected.frozen.slice(0, -1)],
    withoutGradient: expected.parameters_without_gradient,
  };
}
