// Checks of the network on prompts: every stage, log-probabilities of a response, greedy answers.
import { addon, type Inspected, type RawExample } from '#src/engine/binding.js';
import { guarded } from '#src/engine/native.js';
import type { CaseInput, CasePrompt, StageInput } from './inputs.js';
import type { Numbers } from './numbers.js';
import { checkPrompt } from './prompts.js';
import { compareExact, compareNumbers, compareStage, type Report } from './report.js';
import { type CheckedModel, type OpenedPrompt, openPrompt } from './session.js';

/** Largest difference of log-probabilities and scores: what every fixture names. */
export const TOLERANCE = 1e-4;

interface OpenedCasePrompt extends OpenedPrompt {
  readonly input: CasePrompt;
}

/** The prompts of a case are checked alone, then rated and continued together. */
export async function checkCase(report: Report, model: CheckedModel, { prompts }: CaseInput): Promise<void> {
  const opened = prompts.map((input) => ({ ...openPrompt(model, input), input }));
  for (const prompt of opened) {
    await checkPrompt(report, model, prompt);
    await checkStages(report, model, prompt.example([]), prompt.input.place, prompt.input.stages);
  }
  const logprobs = await rate(model, opened);
  const answers = await answer(model, opened);
  for (const [index, { input }] of opened.entries()) {
    const { place, logprobs: wanted, greedy } = input;
    if (wanted)
      await report.check(place, 'response_logprobs', () => compareNumbers(logprobs[index] ?? [], wanted, TOLERANCE));
    // Rounding decides between tokens that are nearly as good, and everything after one.
    if (greedy.length > 0 && !report.coarse)
      await report.check(place, 'greedy', () => compareExact(answers[index]?.slice(0, greedy.length) ?? [], greedy));
  }
}

/** Compares intermediate tensors of a forward of `example`, in the order given. */
export async function checkStages(
  report: Report,
  { checks, native }: CheckedModel,
  example: RawExample,
  place: string,
  stages: readonly StageInput[],
): Promise<void> {
  if (stages.length === 0) return;
  const names = [...new Set(stages.flatMap(({ from }) => from))];
  const found = await guarded(() => checks.inspect(native, example, names));
  for (const input of stages) await report.check(place, input.stage, () => compareStage(picked(found, input), input));
}

function picked(
  found: Readonly<Record<string, Inspected>>,
  { from, pick = (only) => only as Numbers }: StageInput,
): Numbers | undefined {
  const tensors = from.map((name) => found[name]).filter((tensor) => tensor !== undefined);
  return tensors.length < from.length ? undefined : pick(...tensors);
}

async function rate(model: CheckedModel, prompts: readonly OpenedCasePrompt[]): Promise<Float32Array[]> {
  if (prompts.some(({ input }) => input.response.length === 0)) return [];
  return guarded(() => model.native.logprobs(prompts.map(({ input, example }) => example(input.response))));
}

/** Greedy answers of all prompts in one rollout, without stop ids. */
async function answer(model: CheckedModel, prompts: readonly OpenedCasePrompt[]): Promise<Int32Array[]> {
  const maxTokens = Math.max(...prompts.map(({ input }) => input.greedy.length));
  if (maxTokens === 0) return [];
  const requests = prompts.map((prompt, index) => {
    const { tokens, images } = prompt.example([]);
    return { tokens, images, n: 1, key: String(index) };
  });
  const sampling = { temperature: 0, topK: 0, topP: 1, maxTokens, seed: 0, stop: new Int32Array() };
  const flag = new (addon().CancelFlag)();
  const { responses } = await guarded(() => model.native.rollout(requests, sampling, flag, null, null));
  return responses.map((row) => row[0]?.tokens ?? new Int32Array());
}
