// The layout of InternVL2 folders, on a folder made from a tiny model's own answers: it passes, and one changed number is named.
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { backbone } from '../../src/backbones/internvl2.js';
import { addon } from '../../src/engine/binding.js';
import { tokenisePrompt } from '../../src/text/prompt.js';
import { layout } from '../../tools/golden/layouts/internvl2.js';
import type { Numbers } from '../../tools/golden/numbers.js';
import { promptText } from '../../tools/golden/prompts.js';
import { runGolden } from '../../tools/golden/run.js';
import { openPrompt, withModel } from '../../tools/golden/session.js';
import { addonBuilt, removeTemporary, temporary, tinyModel } from '../fakes/model-folder.js';
import { solidPng } from '../fakes/png.js';
import { bumped, differing, folderOf, type Tensors, writeGolden } from './fakes.js';

afterAll(removeTemporary);

const STAGES = ['pixel_values', 'vision_tower_output', 'pixel_shuffle_output', 'projector_output', 'logits'];
const picture = solidPng(60, 28, [200, 30, 90]);
const messages = [{ role: 'user', content: '<image>\nhello world', images: ['a.png'] }];

describe.skipIf(!addonBuilt)(`InternVL2 folders${addonBuilt ? '' : ' (skipped: the addon is not built)'}`, () => {
  let model: string;
  let golden: Record<string, unknown>;
  let expected: Tensors;

  beforeAll(async () => {
    model = await tinyModel();
    await withModel(model, { device: 'cpu', dtype: 'float32' }, 'none', async (opened) => {
      // Only pictures and conversation are of use yet: the rest is what the model says of them.
      const draft = { messages, prompt_text: '', input_ids: [] };
      const dir = writeGolden({
        'cases/a/case.json': draft,
        'cases/a/expected.safetensors': {},
        'cases/a/a.png': picture,
      });
      const [input] = (await layout.read(folderOf(dir), backbone)).cases[0]!.prompts;
      const { layouts } = openPrompt(opened, input!);
      const parts = backbone.render(input!.conversation);
      const { tokens, spans } = tokenisePrompt(parts, opened.tokenizer, backbone, layouts);
      const response = Int32Array.of(262, 263);
      const example = { tokens, images: input!.pictures, response };
      const inspected = await addon().checks.inspect(opened.native, { ...example, response: new Int32Array() }, STAGES);
      const [logprobs] = await opened.native.logprobs([example]);
      golden = {
        messages,
        prompt_text: promptText(parts, backbone, layouts).slice(backbone.begin.length),
        input_ids: [...tokens],
        tiles_per_image: layouts.map(({ tiles }) => tiles),
        image_token_spans: spans,
        response_ids: [...response],
      };
      expected = { ...inspected, response_logprobs: { shape: [2], data: logprobs! } };
    });
  });

  /** Lines of the model with one case of these files. */
  async function lines(document: object, tensors: Tensors) {
    const dir = join(temporary(), 'golden');
    cpSync(model, dir, { recursive: true });
    const files = { 'case.json': document, 'expected.safetensors': tensors, 'a.png': picture };
    cpSync(writeGolden(files), join(dir, 'cases', 'a'), { recursive: true });
    return runGolden(dir, () => {});
  }

  test('a folder of its own answers passes, every stage in the order of computation', async () => {
    const found = await lines(golden, expected);
    expect(found.filter(({ ok }) => !ok)).toEqual([]);
    expect(found.map(({ stage }) => stage)).toEqual([
      ...['prompt_text', 'tiles_per_image', 'input_ids', 'image_token_spans'],
      ...STAGES,
      'response_logprobs',
    ]);
  });

  test.each([...STAGES, 'response_logprobs'])('a wrong number of %s is named', async (stage) => {
    const wrong = { ...expected, [stage]: bumped(expected[stage] as Numbers) };
    expect(differing(await lines(golden, wrong))).toEqual([stage]);
  });

  test('a wrong id or number of tiles is named', async () => {
    const ids = golden.input_ids as number[];
    const last = [...ids.slice(0, -1), 262];
    expect(differing(await lines({ ...golden, input_ids: last }, {}))).toEqual(['input_ids']);
    expect(differing(await lines({ ...golden, tiles_per_image: [9] }, {}))).toEqual(['tiles_per_image']);
  });

  test('prompts of one case have tensors of their own', async () => {
    const logits = expected.logits as Numbers;
    const both = { 'prompt0.logits': logits, 'prompt1.logits': bumped(logits) };
    const found = await lines({ prompts: [golden, golden] }, both);
    expect(found.filter(({ ok }) => !ok)).toMatchObject([{ place: 'cases/a 1', stage: 'logits' }]);
  });

  test('a case that the engine refuses is a failed line, and the next one is checked', async () => {
    const dir = join(temporary(), 'golden');
    cpSync(model, dir, { recursive: true });
    const files = { 'expected.safetensors': expected, 'a.png': picture };
    const pictureless = { ...golden, input_ids: [1, 2, 3] };
    cpSync(writeGolden({ ...files, 'case.json': pictureless }), join(dir, 'cases', 'a'), { recursive: true });
    cpSync(writeGolden({ ...files, 'case.json': golden }), join(dir, 'cases', 'b'), { recursive: true });
    const found = await runGolden(dir, () => {});
    expect(found.filter(({ ok }) => !ok).map(({ place, stage }) => `${place} ${stage}`)).toContain('cases/a run');
    expect(found.filter(({ place }) => place === 'cases/b').every(({ ok }) => ok)).toBe(true);
  });

  test('a folder without anything to check is refused', async () => {
    await expect(runGolden(model, () => {})).rejects.toThrow('cases: none, wanted a golden folder');
  });
});
