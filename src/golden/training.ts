// Checks of sft/ and prm/: loss, gradients, one AdamW step, scores of a new reward head.
// Leaves prompts to cases.ts.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSafetensors } from '../checkpoint/safetensors.js';
import { planWeights, saveFile } from '../checkpoint/save.js';
import { readTensors, type Tensor } from '../checkpoint/tensors.js';
import type { Inspected, RawOptimizer } from '../engine/binding.js';
import { guarded } from '../engine/native.js';
import type { OpenedModel } from '../engine/open.js';
import { checkPrompt, TOLERANCE } from './cases.js';
import { readExpected, readGolden, schemas } from './files.js';
import { compareExact, compareNorms, compareNumbers, type Outcome, type Report } from './report.js';
import { openPrompt } from './session.js';

const TOKEN_BUDGET = 8192;

/** Supervised step: the model is changed by it. */
export async function checkSft(report: Report, model: OpenedModel, dir: string, place: string): Promise<void> {
  const golden = await readGolden(join(dir, 'case.json'), schemas.sft);
  const expected = await readGolden(join(dir, 'expected.json'), schemas.sftExpected);
  const prompt = await openPrompt(model, dir, golden);
  const { native, backbone, tokenizer } = model;
  await checkPrompt(report, model, prompt, place);
  const text = golden.response_text;
  if (text?.endsWith(backbone.endOfTurn)) {
    const plain = tokenizer.encode(text.slice(0, -backbone.endOfTurn.length));
    await report.check(place, 'response_ids', () =>
      compareExact([...plain, tokenizer.idOf(backbone.endOfTurn) as number], golden.response_ids),
    );
  }
  const batch = [prompt.example(golden.response_ids)];
  const { lr, betas, eps, weight_decay: weightDecay, grad_clip: clip } = expected.optimizer;
  await guarded(() =>
    native.setOptimizer(optimizer({ lr, beta1: betas[0], beta2: betas[1], eps, weightDecay, clip: clip ?? 0 })),
  );
  const { loss, gradients } = await guarded(() => native.gradients(batch, 'response'));
  await report.check(place, 'loss', () => compareNumbers([loss], [expected.loss], TOLERANCE));
  await report.check(place, 'grad_l2', () => compareNorms(normsOf(gradients), expected.grad_l2, TOLERANCE, true));
  await report.check(place, 'grad_l2 of parts', () => compareParts(gradients, expected.grad_l2_qkv_bias_parts, true));

  const before = await weightsOf(model);
  const step = await guarded(() => native.trainStep(batch, 'response'));
  const total = Math.hypot(...Object.values(expected.grad_l2));
  await report.check(place, 'trainStep', () =>
    compareNumbers([step.loss, step.gradNorm / total], [expected.loss, 1], TOLERANCE),
  );
  const after = await weightsOf(model);
  const updates = Object.fromEntries(
    [...after].map(([name, tensor]) => [name, difference(tensor, before.get(name) as Tensor)]),
  );
  // A packed bias with a key part has rounding noise for a gradient there, which Adam's first step turns into whole steps: such a
  // tensor is compared by its parts alone.
  const noisy = new Set(Object.keys(expected.update_l2_qkv_bias_parts).map((name) => name.replace(/\[[qkv]\]$/, '')));
  const found = new Map([...normsOf(updates)].filter(([name]) => !noisy.has(name)));
  const wanted = Object.fromEntries(Object.entries(expected.update_l2).filter(([name]) => !noisy.has(name)));
  await report.check(place, 'update_l2', () => compareNorms(found, wanted, TOLERANCE, false));
  await report.check(place, 'update_l2 of parts', () =>
    compareParts(updates, expected.update_l2_qkv_bias_parts, false),
  );
  const [logprobs] = await guarded(() => native.logprobs(batch));
  const newLoss = -(logprobs as Float32Array).reduce((sum, value) => sum + value, 0) / golden.response_ids.length;
  await report.check(place, 'new_loss', () => compareNumbers([newLoss], [expected.new_loss], TOLERANCE));
}

/** Reward head, scores and gradients of the step objective; `model` was opened with a new head. */
export async function checkPrm(report: Report, model: OpenedModel, dir: string, place: string): Promise<void> {
  const golden = await readGolden(join(dir, 'case.json'), schemas.prm);
  const expected = await readGolden(join(dir, 'expected.json'), schemas.prmExpected);
  const tensors = await readExpected(dir);
  const prompt = await openPrompt(model, dir, golden);
  const { native } = model;
  await checkPrompt(report, model, prompt, place);
  const weights = await weightsOf(model);
  for (const name of ['reward_head.weight', 'reward_head.bias']) {
    const wanted = tensors.get(name);
    if (wanted)
      await report.check(place, name, () => compareNumbers(weights.get(name)?.data ?? [], wanted.data, TOLERANCE));
  }
  const example = { ...prompt.example(golden.response_ids), labels: Float32Array.from(golden.token_labels) };
  const all = Uint32Array.from(golden.response_ids, (_, index) => index);
  const [scores] = await guarded(() => native.score([example], [all]));
  await report.check(place, 'scores', () => compareNumbers(scores ?? [], expected.scores, TOLERANCE));
  const frozen = expected.frozen.slice(0, -1);
  await guarded(() => native.setOptimizer(optimizer({ frozen: [frozen] })));
  const { loss, gradients } = await guarded(() => native.gradients([example], 'step'));
  await report.check(place, 'loss', () => compareNumbers([loss], [expected.loss], TOLERANCE));
  const trained = new Map([...normsOf(gradients)].filter(([name]) => !name.startsWith(frozen)));
  await report.check(place, 'grad_l2', () => compareNorms(trained, expected.grad_l2, TOLERANCE, true));
  await report.check(place, 'no gradient', () => {
    const without = model.parameters
      .map(({ name }) => name)
      .filter((name) => !name.startsWith(frozen) && !trained.has(name));
    return compareExact(without.sort(), [...expected.parameters_without_gradient].sort());
  });
  const step = await guarded(() => native.trainStep([example], 'step'));
  const total = Math.hypot(...Object.values(expected.grad_l2));
  await report.check(place, 'trainStep', () =>
    compareNumbers([step.loss, step.gradNorm / total], [expected.loss, 1], TOLERANCE),
  );
}

function optimizer(settings: Partial<RawOptimizer>): RawOptimizer {
  const defaults = {
    lr: 1e-3,
    warmupSteps: 0,
    beta1: 0.9,
    beta2: 0.999,
    eps: 1e-8,
    weightDecay: 0,
    clip: 0,
    frozen: [],
  };
  return { ...defaults, tokenBudget: TOKEN_BUDGET, ...settings };
}

/** The model's present weights, by way of a temporary folder. */
async function weightsOf({ folder, native, parameters }: OpenedModel): Promise<Map<string, Tensor>> {
  const dir = await mkdtemp(join(tmpdir(), 'mstar-golden-'));
  try {
    const files = planWeights(folder, parameters).map((plan) => saveFile(dir, plan));
    await guarded(() => native.save(files));
    const read = await Promise.all(files.map(async ({ path }) => readTensors(await readSafetensors(path))));
    return new Map(read.flatMap((tensors) => [...tensors]));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function difference(a: Tensor, b: Tensor): Inspected {
  return { shape: a.shape, data: a.data.map((value, i) => value - (b.data[i] as number)) };
}

function normsOf(tensors: Readonly<Record<string, Inspected>>): Map<string, number> {
  return new Map(Object.entries(tensors).map(([name, { data }]) => [name, norm(data)]));
}

function norm(data: Float32Array): number {
  return Math.sqrt(data.reduce((sum, value) => sum + value * value, 0));
}

/** Names like `<tensor>[q]`: thirds of a packed bias. The key part is rounding noise and is not compared. */
function compareParts(
  tensors: Readonly<Record<string, Inspected>>,
  expected: Readonly<Record<string, number>>,
  absolute: boolean,
): Outcome {
  const found = new Map<string, number>();
  const wanted: Record<string, number> = {};
  for (const [name, value] of Object.entries(expected)) {
    const [, tensor, part] = /^(.*)\[([qv])\]$/.exec(name) ?? [];
    const data = tensor === undefined ? undefined : tensors[tensor]?.data;
    if (!data) continue;
    const third = data.length / 3;
    found.set(name, norm(part === 'q' ? data.subarray(0, third) : data.subarray(2 * third)));
    wanted[name] = value;
  }
  return compareNorms(found, wanted, TOLERANCE, absolute);
}
