// Checks of training: loss, gradients, one AdamW step; a new reward head, its scores and gradients.
import { readSafetensors } from '#src/checkpoint/safetensors.js';
import { planWeights, saveFile } from '#src/checkpoint/save.js';
import type { Inspected, RawExample, RawOptimizer } from '#src/engine/binding.js';
import { guarded } from '#src/engine/native.js';
import { readTensors, type Tensor } from '../tensors.js';
import type { NormsInput, PrmInput, SftInput } from './inputs.js';
import { TOLERANCE } from './network.js';
import { checkPrompt } from './prompts.js';
import { compareExact, compareNorms, compareNumbers, type Report } from './report.js';
import { type CheckedModel, inTemporaryFolder, openPrompt } from './session.js';

/** Supervised step: the model is changed by it. */
export async function checkSft(report: Report, model: CheckedModel, input: SftInput): Promise<void> {
  const { place } = input.prompt;
  const prompt = openPrompt(model, input.prompt);
  const { native } = model;
  await checkPrompt(report, model, prompt);
  await checkResponse(report, model, input);
  const batch = [prompt.example(input.response)];
  const { lr, betas, eps, weightDecay, clip } = input.optimizer;
  await guarded(() => native.setOptimizer(optimizer({ lr, beta1: betas[0], beta2: betas[1], eps, weightDecay, clip })));
  const gradients = await checkGradients(report, model, input, batch, 'response', []);
  const { gradientParts, updates, updateParts } = input;
  if (gradientParts)
    await report.check(place, gradientParts.stage, () =>
      compareNorms(partNorms(gradients, gradientParts), gradientParts),
    );

  const before = await weightsOf(model);
  await checkStep(report, model, input, batch, 'response');
  const after = await weightsOf(model);
  const changes = Object.fromEntries(
    [...after].map(([name, tensor]) => [name, difference(tensor, before.get(name) as Tensor)]),
  );
  await report.check(place, updates.stage, () => compareNorms(normsOf(changes), updates));
  if (updateParts)
    await report.check(place, updateParts.stage, () => compareNorms(partNorms(changes, updateParts), updateParts));
  const [logprobs] = await guarded(() => native.logprobs(batch));
  const newLoss = -(logprobs as Float32Array).reduce((sum, value) => sum + value, 0) / input.response.length;
  await report.check(place, 'new_loss', () =>
    compareNumbers([newLoss], [input.newLoss.wanted], input.newLoss.tolerance),
  );
}

/** Reward head, scores and gradients of the step objective; `model` was opened with a new head. */
export async function checkPrm(report: Report, model: CheckedModel, input: PrmInput): Promise<void> {
  const { place } = input.prompt;
  const prompt = openPrompt(model, input.prompt);
  const { native } = model;
  await checkPrompt(report, model, prompt);
  const weights = await weightsOf(model);
  for (const [name, wanted] of input.head)
    await report.check(place, name, () => compareNumbers(weights.get(name)?.data ?? [], wanted.data, TOLERANCE));
  const example = { ...prompt.example(input.response), labels: Float32Array.from(input.labels) };
  const all = Uint32Array.from(input.response, (_, index) => index);
  const [scores] = await guarded(() => native.score([example], [all]));
  await report.check(place, 'scores', () => compareNumbers(scores ?? [], input.scores, TOLERANCE));
  await guarded(() => native.setOptimizer(optimizer({ frozen: [...input.frozen] })));
  await checkGradients(report, model, input, [example], 'step', input.frozen);
  await checkStep(report, model, input, [example], 'step');
}

/** The ids of an answer that is trained on, from its text. */
async function checkResponse(
  report: Report,
  { tokenizer, backbone }: CheckedModel,
  { prompt, response, responseText }: SftInput,
): Promise<void> {
  if (responseText === undefined) return;
  const ids = [...tokenizer.encode(responseText), tokenizer.idOf(backbone.endOfTurn) as number];
  await report.check(prompt.place, 'response_ids', () => compareExact(ids, response));
}

/** Loss, gradient norms, and which parameters have none. Gives the gradients. */
async function checkGradients(
  report: Report,
  { checks, native, parameters }: CheckedModel,
  input: SftInput | PrmInput,
  batch: readonly RawExample[],
  objective: 'response' | 'step',
  frozen: readonly string[],
): Promise<Record<string, Inspected>> {
  const { place } = input.prompt;
  const { loss, gradients } = await guarded(() => checks.gradients(native, batch, objective));
  await report.check(place, 'loss', () => compareNumbers([loss], [input.loss.wanted], input.loss.tolerance));
  const learns = (name: string): boolean => !frozen.some((prefix) => name.startsWith(prefix));
  const trained = new Map([...normsOf(gradients)].filter(([name]) => learns(name)));
  await report.check(place, input.gradients.stage, () => compareNorms(trained, input.gradients));
  const { withoutGradient } = input;
  if (withoutGradient) {
    await report.check(place, 'no gradient', () => {
      const without = parameters.map(({ name }) => name).filter((name) => learns(name) && !trained.has(name));
      return compareExact(without.sort(), [...withoutGradient].sort());
    });
  }
  return gradients;
}

/** A step reports the loss before it and the norm of all gradients. */
async function checkStep(
  report: Report,
  { native }: CheckedModel,
  { prompt, loss, gradients }: SftInput | PrmInput,
  batch: readonly RawExample[],
  objective: 'response' | 'step',
): Promise<void> {
  const step = await guarded(() => native.trainStep(batch, objective));
  const total = Math.hypot(...Object.values(gradients.wanted));
  await report.check(prompt.place, 'trainStep', () =>
    compareNumbers([step.loss, step.gradNorm / total], [loss.wanted, 1], TOLERANCE),
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
  return { ...defaults, ...settings };
}

/** The model's present weights, by way of a temporary folder. */
async function weightsOf({ folder, native, parameters }: CheckedModel): Promise<Map<string, Tensor>> {
  return inTemporaryFolder(async (dir) => {
    const files = planWeights(folder, parameters).map((plan) => saveFile(dir, plan));
    await guarded(() => native.save(files));
    const read = await Promise.all(files.map(async ({ path }) => readTensors(await readSafetensors(path))));
    return new Map(read.flatMap((tensors) => [...tensors]));
  });
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

/** Norms of the thirds of packed biases that `wanted` names, like `<tensor>[q]`. */
function partNorms(tensors: Readonly<Record<string, Inspected>>, { wanted }: NormsInput): Map<string, number> {
  const found = new Map<string, number>();
  for (const part of Object.keys(wanted)) {
    const [, name = '', letter = ''] = /^(.*)\[([qkv])\]$/.exec(part) ?? [];
    const data = tensors[name]?.data;
    if (!data) continue;
    const third = data.length / 3;
    const start = 'qkv'.indexOf(letter) * third;
    found.set(part, norm(data.subarray(start, start + third)));
  }
  return found;
}
