// Golden folders of MiniCPM-Llama3-V-2.5: cases/ with case.json and expected.safetensors, sft/sft.json, prm/prm.json.
import { join } from 'node:path';
import { z } from 'zod';
import type { Backbone } from '#src/backbones/backbone.js';
import {
  foldersIn,
  idsSchema,
  normsSchema,
  optimizerSchema,
  promptSchema,
  readExpected,
  readGolden,
  readPictures,
  shifted,
  toConversation,
  whereThere,
} from '../files.js';
import type { CaseInput, CasePrompt, FixtureLayout, PrmInput, PromptInput, SftInput, StageInput } from '../inputs.js';
import { lastRows, list, type Numbers } from '../numbers.js';
import { readExtras } from './minicpm-extras.js';

const TOLERANCE = 1e-4;
const LOSS_TOLERANCE = 1e-5;
const NEW_LOSS_TOLERANCE = 2e-4;
const UPDATE_TOLERANCE = 1e-3;
const NOISE_BELOW = 1e-6;
/** Whole steps of the noisy third of a packed bias make its norm at most this much larger. */
const PART_NOISE = 0.25;

const prompt = promptSchema.extend({
  response_ids: idsSchema.default([]),
  response_logprobs: z.array(z.number()).optional(),
  greedy: idsSchema.default([]),
});
type Prompt = z.infer<typeof prompt>;
const schemas = {
  /** A case holds one prompt, or several under `batch`. */
  case: z.union([z.object({ batch: z.array(prompt).min(1) }), prompt]),
  sft: prompt.extend({
    response_text: z.string().optional(),
    loss: z.number(),
    loss_after_step: z.number(),
    optimizer: optimizerSchema.extend({
      name: z.literal('AdamW'),
      decay_rule: z.literal('tensors with ndim >= 2 only'),
      clipping: z.number().nullable(),
    }),
    grad_norm: normsSchema,
    update_norm: normsSchema,
    rounding_noise_tensors: z.array(z.string()).default([]),
    noise_prone_tensors: z.array(z.string()).default([]),
  }),
  prm: prompt.extend({
    token_labels: z.array(z.number()),
    scores: z.array(z.number()),
    loss: z.number(),
    grad_norm: normsSchema,
  }),
};

export const layout: FixtureLayout = {
  async read(folder, backbone) {
    const { dir } = folder;
    const cases: CaseInput[] = [];
    for (const name of await foldersIn(join(dir, 'cases')))
      cases.push(await readCase(join(dir, 'cases', name), `cases/${name}`, backbone));
    return {
      cases,
      extras: await readExtras(folder),
      sft: await whereThere(join(dir, 'sft', 'sft.json'), (file) => readSft(file, join(dir, 'sft'), backbone)),
      prm: await whereThere(join(dir, 'prm', 'prm.json'), (file) => readPrm(file, join(dir, 'prm'), backbone)),
    };
  },
};

async function readCase(dir: string, place: string, backbone: Backbone): Promise<CaseInput> {
  const golden = await readGolden(join(dir, 'case.json'), schemas.case);
  const expected = await readExpected(join(dir, 'expected.safetensors'));
  if (!('batch' in golden))
    return { place, prompts: [await casePrompt(dir, place, golden, stagesOf(expected), backbone)] };
  const prompts: CasePrompt[] = [];
  for (const [index, one] of golden.batch.entries()) {
    const logits = expected.get(`logits.${index}`);
    const stages = logits ? [lastLogits(logits)] : [];
    prompts.push(await casePrompt(dir, `${place} ${index}`, one, stages, backbone));
  }
  return { place, prompts };
}

async function casePrompt(
  dir: string,
  place: string,
  golden: Prompt,
  stages: readonly StageInput[],
  backbone: Backbone,
): Promise<CasePrompt> {
  return {
    ...(await promptInput(dir, place, golden, backbone)),
    stages,
    response: golden.response_ids,
    logprobs: golden.response_logprobs,
    greedy: golden.greedy,
  };
}

async function promptInput(dir: string, place: string, golden: Prompt, backbone: Backbone): Promise<PromptInput> {
  return {
    place,
    // One line per picture, then the text: what `ask` writes.
    conversation: toConversation(golden.messages, ({ content, images }, { first }) =>
      images.length > 0 ? shifted(backbone.ask(content, images.length), first) : [{ text: content }],
    ),
    pictures: await readPictures(dir, golden.messages),
    text: { wanted: golden.prompt_text },
    ids: golden.input_ids,
    spans: golden.image_token_spans,
    cuts: [],
  };
}

function stagesOf(expected: ReadonlyMap<string, Numbers>): StageInput[] {
  const slices = [...expected.keys()].filter((name) => /^pixel_values\.\d+$/.test(name));
  slices.sort((a, b) => Number(a.split('.')[1]) - Number(b.split('.')[1]));
  const alone = expected.get('diagnostic_resampler_output_each_slice_alone');
  const whole = (stage: string, tolerance: number): StageInput[] => {
    const wanted = expected.get(stage);
    return wanted ? [{ stage, from: [stage], wanted, tolerance }] : [];
  };
  return [
    ...patchCounts(expected, slices),
    ...slices.flatMap((stage) => whole(stage, 0)),
    ...whole('vision_position_ids', 0),
    ...whole('vision_tower_output', TOLERANCE),
    ...whole('resampler_output', TOLERANCE).map((input) => ({
      ...input,
      ...(alone && { mistake: { gives: alone, note: 'as if each slice went through the tower alone' } }),
    })),
    ...whole('logits', TOLERANCE),
  ];
}

/** Height times width of every slice in patches, as its pixels show it. */
function patchCounts(expected: ReadonlyMap<string, Numbers>, slices: readonly string[]): StageInput[] {
  const sizes = expected.get('tgt_sizes');
  if (!sizes) return [];
  const counts = slices.map((_, i) => (sizes.data[2 * i] as number) * (sizes.data[2 * i + 1] as number));
  const pick = (...found: Numbers[]): Numbers => list(found.map(patchesOf));
  return [{ stage: 'tgt_sizes', from: slices, pick, wanted: list(counts), tolerance: 0 }];
}

/** Patches of a slice [3, patch, patch x patches]. */
export function patchesOf({ shape }: Numbers): number {
  return (shape[2] as number) / (shape[1] as number);
}

function lastLogits(wanted: Numbers): StageInput {
  const pick = (all: Numbers): Numbers => lastRows(all, wanted.shape[0] as number);
  return { stage: 'logits', from: ['logits'], pick, wanted, tolerance: TOLERANCE };
}

async function readSft(file: string, dir: string, backbone: Backbone): Promise<SftInput> {
  const golden = await readGolden(file, schemas.sft);
  const { lr, betas, eps, weight_decay: weightDecay, clipping } = golden.optimizer;
  return {
    prompt: await promptInput(dir, 'sft', golden, backbone),
    response: golden.response_ids,
    responseText: golden.response_text,
    optimizer: { lr, betas, eps, weightDecay, clip: clipping ?? 0 },
    loss: { wanted: golden.loss, tolerance: LOSS_TOLERANCE },
    newLoss: { wanted: golden.loss_after_step, tolerance: NEW_LOSS_TOLERANCE },
    gradients: { stage: 'grad_norm', wanted: golden.grad_norm, tolerance: TOLERANCE, noiseBelow: NOISE_BELOW },
    updates: {
      stage: 'update_norm',
      wanted: golden.update_norm,
      tolerance: UPDATE_TOLERANCE,
      noisy: golden.rounding_noise_tensors,
      loose: { names: golden.noise_prone_tensors, tolerance: PART_NOISE },
    },
  };
}

/** The tower is frozen; everything else but the language model's head has a gradient. */
async function readPrm(file: string, dir: string, backbone: Backbone): Promise<PrmInput> {
  const golden = await readGolden(file, schemas.prm);
  const tensors = await whereThere(join(dir, 'expected.safetensors'), readExpected);
  return {
    prompt: await promptInput(dir, 'prm', golden, backbone),
    response: golden.response_ids,
    labels: golden.token_labels,
    head: [...(tensors ?? [])].filter(([name]) => name.startsWith('reward_head.')),
    scores: golden.scores,
    loss: { wanted: golden.loss, tolerance: LOSS_TOLERANCE },
    gradients: { stage: 'grad_norm', wanted: golden.grad_norm, tolerance: TOLERANCE, noiseBelow: NOISE_BELOW },
    frozen: backbone.prefixes.vision,
  };
}
