// Checks of cases/*: prompt, pictures, every stage of the network, log-probabilities, greedy answers.
// Leaves training to training.ts and the odd tables to extras.ts.
import type { Tensor } from '../checkpoint/tensors.js';
import { addon, type RawExample } from '../engine/binding.js';
import { guarded } from '../engine/native.js';
import type { OpenedModel } from '../engine/open.js';
import { promptText, tokenisePrompt } from '../text/prompt.js';
import { readExpected, readGolden, schemas } from './files.js';
import { compareExact, compareNumbers, type Report } from './report.js';
import { type OpenedPrompt, openPrompt } from './session.js';

export const TOLERANCE = 1e-4;

/** In the order of computation, so that the first line that fails names the stage at fault; pixels are exact. */
const STAGES = {
  pixel_values: 0,
  vision_tower_output: TOLERANCE,
  pixel_shuffle_output: TOLERANCE,
  projector_output: TOLERANCE,
  logits: TOLERANCE,
};

/** Checks one case folder. The prompts of a batch are checked alone, then sampled and rated together. */
export async function checkCase(report: Report, model: OpenedModel, dir: string, place: string): Promise<void> {
  const golden = await readGolden(`${dir}/case.json`, schemas.case);
  const expected = await readExpected(dir);
  const alone = !('prompts' in golden);
  const prompts = await Promise.all(
    ('prompts' in golden ? golden.prompts : [golden]).map((prompt) => openPrompt(model, dir, prompt)),
  );
  const key = (index: number, stage: string): string => (alone ? stage : `prompt${index}.${stage}`);
  const where = (index: number): string => (alone ? place : `${place} ${index}`);
  for (const [index, prompt] of prompts.entries()) {
    await checkPrompt(report, model, prompt, where(index));
    const stages = Object.keys(STAGES).filter((stage) => expected.has(key(index, stage)));
    const found = await guarded(() => model.native.inspect(prompt.example([]), stages));
    for (const stage of stages) {
      const { shape, data } = expected.get(key(index, stage)) as Tensor;
      await report.check(where(index), stage, () => {
        const tensor = found[stage];
        if (tensor?.shape.join() !== shape.join())
          return { ok: false, note: `shape [${tensor?.shape ?? ''}], wanted [${shape}]` };
        return compareNumbers(tensor.data, data, STAGES[stage as keyof typeof STAGES]);
      });
    }
  }
  const rated = prompts.map((prompt) => prompt.example(prompt.golden.response_ids ?? []));
  const logprobs = rated.every(({ response }) => response.length > 0)
    ? await guarded(() => model.native.logprobs(rated))
    : [];
  const answers = await greedy(model, prompts);
  for (const [index, prompt] of prompts.entries()) {
    const wanted = expected.get(key(index, 'response_logprobs'));
    if (wanted) {
      await report.check(where(index), 'response_logprobs', () =>
        compareNumbers(logprobs[index] ?? [], wanted.data, TOLERANCE),
      );
    }
    const { greedy: ids } = prompt.golden;
    if (ids)
      await report.check(where(index), 'greedy', () => compareExact(answers[index]?.slice(0, ids.length) ?? [], ids));
  }
}

/** Stages before the network: text, ids, places and tiles of pictures. */
export async function checkPrompt(
  report: Report,
  model: OpenedModel,
  prompt: OpenedPrompt,
  place: string,
): Promise<void> {
  const { backbone, tokenizer } = model;
  const { golden, conversation, layouts } = prompt;
  const parts = backbone.render(conversation);
  const { tokens, spans } = tokenisePrompt(parts, tokenizer, backbone, layouts);
  // The text of the goldens is without the begin mark, which the reference's tokenizer adds.
  await report.check(place, 'prompt_text', () =>
    compareExact(promptText(parts, backbone, layouts), backbone.begin + golden.prompt_text),
  );
  await report.check(place, 'tiles_per_image', () =>
    compareExact(
      layouts.map(({ tiles }) => tiles),
      golden.tiles_per_image,
    ),
  );
  await report.check(place, 'input_ids', () => compareExact(tokens, golden.input_ids));
  await report.check(place, 'image_token_spans', () => compareExact(spans.flat(), golden.image_token_spans.flat()));
}

/** Greedy answers of all prompts in one rollout, without stop ids. */
async function greedy(model: OpenedModel, prompts: readonly OpenedPrompt[]): Promise<Int32Array[]> {
  const maxTokens = Math.max(...prompts.map(({ golden }) => golden.greedy?.length ?? 0));
  if (maxTokens === 0) return [];
  const requests = prompts.map((prompt, index) => {
    const { tokens, images }: RawExample = prompt.example([]);
    return { tokens, images, n: 1, key: String(index) };
  });
  const sampling = { temperature: 0, topK: 0, topP: 1, maxTokens, seed: 0, stop: new Int32Array() };
  const flag = new (addon().CancelFlag)();
  const { responses } = await guarded(() => model.native.rollout(requests, sampling, flag, null, null));
  return responses.map((row) => row[0]?.tokens ?? new Int32Array());
}
