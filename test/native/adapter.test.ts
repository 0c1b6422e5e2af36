// Adapters (LoRA) on every backbone: what they add to a product, to its gradients and to what is sampled, against the whole
// model that they make of their base and against PEFT; their folders; what else learns beside them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { openFolder } from '../../src/checkpoint/folder.js';
import type { OptimizerSettings } from '../../src/core/ports.js';
import type { AdapterSettings } from '../../src/engine/adapter.js';
import { addon, type RawExample } from '../../src/engine/binding.js';
import { type ComputeOptions, type OpenedModel, openModel } from '../../src/engine/open.js';
import { NativePolicy } from '../../src/engine/policy.js';
import { tokenisePrompt } from '../../src/text/prompt.js';
import { tinyBackbone, tinyBackbones } from '../fakes/backbones.js';
import { removeTemporary, temporary } from '../fakes/model-folder.js';
import { changed } from '../fakes/weights.js';
import { image, largestDifference, never, sampling } from './tiny-model.js';

const opened: OpenedModel[] = [];
afterEach(async () => {
  for (const model of opened.splice(0)) await model.native.dispose();
});
afterAll(removeTemporary);

type Head = 'none' | 'mean' | 'load';

async function open(dir: string, options: Partial<ComputeOptions> = {}, head: Head = 'none') {
  const model = await openModel(dir, { device: 'cpu', dtype: 'float32', threads: 2, ...options }, head);
  opened.push(model);
  return model;
}

const lora = (base: string, change: Partial<AdapterSettings> = {}) => ({
  adapter: { rank: 3, alpha: 6, targets: [], seed: 5, base, ...change },
});
const policies = new Map<OpenedModel, NativePolicy>();
/** Saves, restores and sets the optimizer; it renders nothing. */
function policyOf(model: OpenedModel): NativePolicy {
  const policy = policies.get(model) ?? new NativePolicy(model, undefined as never);
  policies.set(model, policy);
  return policy;
}
const settings: OptimizerSettings = {
  lr: 2e-2,
  warmupSteps: 0,
  betas: [0.9, 0.95],
  eps: 1e-8,
  weightDecay: 0.1,
  clip: 0,
  freeze: [],
};

/** Questions about no, one and two pictures, with labelled answers to learn. */
function examples({ backbone, tokenizer, native }: OpenedModel, question = 'a b?'): RawExample[] {
  return [[], [image(1, 60, 40)], [image(2), image(3, 50, 30)]].map((images, i) => {
    const parts = backbone.render({ turns: [{ role: 'user', content: backbone.ask(question, images.length) }] });
    const layouts = images.map(({ width, height }) => native.imageLayout(width, height));
    const { tokens } = tokenisePrompt(parts, tokenizer, backbone, layouts);
    const response = Int32Array.from([...tokenizer.encode('abcab'.slice(i)), tokenizer.idOf(backbone.endOfTurn) ?? 0]);
    return { tokens, images, response, labels: Float32Array.from(response, (_, t) => (t % 3) / 2) };
  });
}

/** Optimizer steps that move the adapter far from where it began. */
async function train(model: OpenedModel, steps = 4, objective: 'response' | 'step' = 'response'): Promise<number[]> {
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) losses.push((await model.native.trainStep(examples(model), objective)).loss);
  return losses;
}

async function trained(dir: string, options: Partial<ComputeOptions> = {}, steps = 4): Promise<OpenedModel> {
  const model = await open(dir, { ...lora(dir), ...options });
  await policyOf(model).resetOptimizer(settings);
  await train(model, steps);
  return model;
}

/** Parameters as numbers. */
async function numbers({ native }: OpenedModel, names: readonly string[]): Promise<Map<string, Float32Array>> {
  const out = new Map<string, Float32Array>();
  for (const name of names) {
    const path = join(temporary(), 'tensor.bin');
    await native.save([{ path, header: new Uint8Array(0), tensors: [{ name, dtype: 'F32' }] }]);
    out.set(name, new Float32Array(Uint8Array.from(readFileSync(path)).buffer));
  }
  return out;
}

const differences = (a: readonly Float32Array[], b: readonly Float32Array[]) =>
  Math.max(...a.map((row, i) => largestDifference(row, b[i] as Float32Array)));
const names = (shapes: readonly { readonly name: string }[]) => shapes.map(({ name }) => name);

/** x y of row-major matrices [n, k] and [k, m]. */
function product(x: ArrayLike<number>, y: ArrayLike<number>, n: number, k: number, m: number): Float64Array {
  const out = new Float64Array(n * m);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < k; j++)
      for (let l = 0; l < m; l++) out[i * m + l] = (out[i * m + l] ?? 0) + (x[i * k + j] ?? 0) * (y[j * m + l] ?? 0);
  return out;
}

function transposed(x: ArrayLike<number>, n: number, k: number): Float64Array {
  return Float64Array.from({ length: n * k }, (_, i) => x[(i % n) * k + Math.floor(i / n)] ?? 0);
}

describe.each(Object.keys(tinyBackbones))('%s', (name) => {
  test('a new adapter changes nothing: answers and log-probabilities are those of the base', async () => {
    const dir = await tinyBackbone(name);
    const [base, adapted] = [await open(dir), await open(dir, lora(dir))];
    expect(await adapted.native.logprobs(examples(adapted))).toEqual(await base.native.logprobs(examples(base)));
    const asked = examples(base).map((example, i) => ({ ...example, n: 3, key: `q${i}` }));
    const sample = async (model: OpenedModel) =>
      (await model.native.rollout(asked, sampling({ maxTokens: 12 }), never(), null, null)).responses;
    expect(await sample(adapted)).toEqual(await sample(base));
  });

  test('its gradients are those of the whole matrix, and nothing but the adapter has any', async () => {
    const dir = await tinyBackbone(name);
    const model = await trained(dir);
    const merged = `${dir}-merged`;
    const loss = await policyOf(model).saveMerged(merged, 'F32');
    expect(loss.update).toBeGreaterThan(0.1);
    expect(loss.lost).toBe(0);
    const whole = await open(merged);
    const rated = [await model.native.logprobs(examples(model)), await whole.native.logprobs(examples(whole))] as const;
    expect(differences(...rated)).toBeLessThan(1e-5);
    const [low, full] = await Promise.all(
      [model, whole].map(({ native }) => addon().checks.gradients(native, examples(model), 'response')),
    );
    expect(Object.keys(low?.gradients ?? {}).sort()).toEqual(names(model.own).sort());
    const own = await numbers(model, names(model.own));
    const [rank, scale] = [3, 2];
    for (const { name: matrix, shape } of model.adapter?.targets ?? []) {
      const [n = 0, k = 0] = shape;
      const module = matrix.replace(/weight$/, '');
      const [a, b] = ['lora_A.weight', 'lora_B.weight'].map((part) => own.get(module + part) as Float32Array);
      const whole = full?.gradients[matrix]?.data as Float32Array;
      const ofB = product(whole, transposed(a as Float32Array, rank, k), n, k, rank).map((x) => scale * x);
      const ofA = product(transposed(b as Float32Array, n, rank), whole, rank, n, k).map((x) => scale * x);
      for (const [part, expected] of [
        ['lora_A.weight', ofA],
        ['lora_B.weight', ofB],
      ] as const) {
        const found = low?.gradients[module + part]?.data ?? [];
        const largest = Math.max(...expected.map(Math.abs));
        expect(largest).toBeGreaterThan(1e-6);
        expect([module + part, largestDifference(found, expected) / largest < 1e-3]).toEqual([module + part, true]);
      }
    }
  });

  test('what is sampled has the log-probabilities of the trainer, by either executor and in bfloat16', async () => {
    const dir = await tinyBackbone(name);
    for (const [dtype, bound] of [
      ['float32', 1e-5],
      ['bfloat16', 0.1],
    ] as const) {
      const model = await trained(dir, { dtype });
      const asked = examples(model).map((example, i) => ({ ...example, n: 3, key: `q${i}` }));
      const { responses } = await model.native.rollout(asked, sampling({ maxTokens: 12 }), never(), null, null);
      for (const [i, row] of responses.entries())
        for (const { tokens, logprobs } of row) {
          const { tokens: prompt, images } = asked[i] as RawExample;
          const [plain] = await model.native.logprobs([{ tokens: prompt, images, response: tokens }]);
          expect(largestDifference(logprobs, plain as Float32Array)).toBeLessThan(bound);
        }
    }
  });

  test('a folder of it goes on bit for bit, and its bytes do not depend on threads', async () => {
    const dir = await tinyBackbone(name);
    const folders: string[] = [];
    for (const threads of [1, 2, 3]) {
      const model = await open(dir, { ...lora(dir), threads });
      await policyOf(model).resetOptimizer(settings);
      // Enough for several micro-batches, which threads share.
      const batch = Array.from({ length: 8 }, (_, i) => examples(model, `a b${' a'.repeat(i)}?`)).flat();
      for (let step = 0; step < 3; step++) await model.native.trainStep(batch, 'response');
      folders.push(`${dir}-threads-${threads}`);
      await policyOf(model).save(folders.at(-1) as string, { withTrainer: true });
    }
    const read = (folder: string, file: string) => readFileSync(join(folder, file));
    for (const file of ['adapter_model.safetensors', 'adapter_config.json', 'trainer.safetensors', 'trainer.json'])
      for (const folder of folders) expect(read(folder, file).equals(read(folders[0] as string, file))).toBe(true);
    const straight = await trained(dir);
    await policyOf(straight).save(`${dir}-saved`, { withTrainer: true });
    const again = await open(`${dir}-saved`);
    await policyOf(again).resetOptimizer(settings);
    await policyOf(again).restore(`${dir}-saved`);
    for (const model of [straight, again]) await train(model, 2);
    expect(await numbers(again, names(again.own))).toEqual(await numbers(straight, names(straight.own)));
    expect(again.native.version).toBe(6);
  });

  test('in bfloat16 the base keeps its bits, the adapter learns in float32, and small steps are not lost', async () => {
    const dir = await tinyBackbone(name, 'BF16');
    const model = await open(dir, { ...lora(dir), dtype: 'bfloat16' });
    const matrices = names(model.adapter?.targets ?? []);
    const before = await numbers(model, matrices);
    await policyOf(model).resetOptimizer({ ...settings, lr: 1e-5 });
    const losses = await train(model, 12);
    expect(losses.at(-1)).toBeLessThan(losses[0] as number);
    expect(await numbers(model, matrices)).toEqual(before);
    await policyOf(model).save(`${dir}-adapter`, { withTrainer: true });
    const again = await open(`${dir}-adapter`, { dtype: 'bfloat16' });
    expect(await numbers(again, names(again.own))).toEqual(await numbers(model, names(model.own)));
    // Such small updates are what a merge into bfloat16 loses.
    const { update, lost } = await policyOf(model).saveMerged(`${dir}-merged`);
    expect(lost).toBeGreaterThan(update / 2);
  });

  test('a reward head learns beside it, from the answers of a policy with an adapter, and is saved with it', async () => {
    const dir = await tinyBackbone(name);
    await policyOf(await trained(dir)).save(`${dir}-policy`);
    const scorer = await open(`${dir}-policy`, lora(dir), 'mean');
    expect(names(scorer.own)).toEqual(expect.arrayContaining(['reward_head.weight', 'reward_head.bias']));
    await policyOf(scorer).resetOptimizer(settings);
    const losses = await train(scorer, 12, 'step');
    expect(losses.at(-1)).toBeLessThan(0.9 * (losses[0] as number));
    await policyOf(scorer).save(`${dir}-prm`);
    const at = examples(scorer).map(({ response }) => Uint32Array.from(response, (_, i) => i));
    const again = await open(`${dir}-prm`, {}, 'load');
    expect(await again.native.score(examples(again), at)).toEqual(await scorer.native.score(examples(scorer), at));
    expect(JSON.parse(readFileSync(join(`${dir}-prm`, 'adapter_config.json'), 'utf8'))).toMatchObject({
      modules_to_save: ['reward_head'],
    });
    await policyOf(again).saveMerged(`${dir}-whole`, 'F32');
    const whole = await open(`${dir}-whole`, {}, 'load');
    expect(
      differences(await whole.native.score(examples(whole), at), await again.native.score(examples(again), at)),
    ).toBeLessThan(1e-4);
  });
});

describe('a folder of an adapter', () => {
  const refusal = (dir: string, options: Partial<ComputeOptions> = {}): Promise<string> =>
    open(dir, options).then(
      () => 'opened',
      (error: Error) => error.message,
    );

  test('is refused on a base with other weights, another rank or matrices that the model does not have', async () => {
    const dir = await tinyBackbone('minicpm');
    const other = await tinyBackbone('minicpm', 'F32', 2);
    const folder = `${dir}-adapter`;
    await policyOf(await trained(dir)).save(folder);
    expect(await refusal(folder, lora(other))).toBe(
      `${folder}/adapter_model.safetensors: base_sha256: of other weights than those in ${other}, wanted the base model that the adapter was trained on`,
    );
    expect(await refusal(folder, lora(dir, { rank: 4 }))).toBe(
      `${folder}/adapter_config.json: rank: 3, wanted model.adapter.rank (4)`,
    );
    expect(await refusal(dir, lora(dir, { targets: ['q_proj', 'query'] }))).toBe(
      'model.adapter.targets: "query", wanted matrices of minicpm: self_attn.q_proj, self_attn.k_proj, self_attn.v_proj, self_attn.o_proj, mlp.gate_proj, mlp.up_proj, mlp.down_proj',
    );
    expect(await refusal(folder, lora(folder))).toContain(`model.adapter: given beside the adapter in ${folder}`);
    await changed(dir, (tensors) => tensors.map((tensor) => ({ ...tensor, bytes: tensor.bytes.map((b) => b ^ 1) })));
    expect(await refusal(folder)).toContain('base_sha256: of other weights');
  });

  test('finds its base, whose config and tokenizer it shares, and adapts only what targets name', async () => {
    const dir = await tinyBackbone('minicpm');
    const model = await open(dir, lora(dir, { targets: ['q_proj', 'mlp.down_proj'] }));
    expect(names(model.adapter?.targets ?? [])).toEqual([
      'llm.model.layers.0.self_attn.q_proj.weight',
      'llm.model.layers.0.mlp.down_proj.weight',
      'llm.model.layers.1.self_attn.q_proj.weight',
      'llm.model.layers.1.mlp.down_proj.weight',
    ]);
    await policyOf(model).resetOptimizer(settings);
    const losses = await train(model, 6);
    expect(losses.at(-1)).toBeLessThan(losses[0] as number);
    await policyOf(model).save(`${dir}-adapter`);
    const folder = await openFolder(`${dir}-adapter`);
    expect([folder.dir, folder.adapter?.rank, folder.adapter?.base]).toEqual([dir, 3, dir]);
    const again = await open(`${dir}-adapter`);
    expect(await again.native.logprobs(examples(again))).toEqual(await model.native.logprobs(examples(model)));
    const asked = examples(model).map((example, i) => ({ ...example, n: 2, key: `q${i}` }));
    const [packed, plain] = await Promise.all(
      [0, 1].map(() => again.native.rollout(asked, sampling({ maxTokens: 8 }), never(), null, null)),
    );
    expect(packed?.responses).toEqual(plain?.responses);
  });

  test('calls modules what the class of the reference does, where published files call them otherwise', async () => {
    const dir = await tinyBackbone('qwen2_5_vl');
    const model = await open(dir, lora(dir, { targets: ['v_proj'] }));
    await policyOf(model).save(`${dir}-named`);
    const module = 'model.language_model.layers.0.self_attn.v_proj';
    const { target_modules: modules } = JSON.parse(readFileSync(join(`${dir}-named`, 'adapter_config.json'), 'utf8'));
    expect(modules[0]).toBe(module);
    const tensors = (await openFolder(`${dir}-named`)).adapter?.weights.tensors ?? [];
    expect(names(tensors).slice(0, 2)).toEqual([`${module}.lora_A.weight`, `${module}.lora_B.weight`]);
    const again = await open(`${dir}-named`);
    expect(await numbers(again, names(again.own))).toEqual(await numbers(model, names(model.own)));
  });

  test('of PEFT gives the numbers of PEFT, and learns as it does', async () => {
    const fixture = fileURLToPath(new URL('fixtures/peft', import.meta.url));
    const expected = JSON.parse(readFileSync(join(fixture, 'expected.json'), 'utf8')) as {
      answers: { tokens: number[]; response: number[] }[];
      logprobs: number[][];
      losses: number[];
      trained: number[][];
    };
    const base = await tinyBackbone('minicpm');
    const model = await open(fixture, lora(base, { rank: 2, alpha: 8 }));
    const asked = expected.answers.map(({ tokens, response }) => ({
      tokens: Int32Array.from(tokens),
      images: [],
      response: Int32Array.from(response),
    }));
    const far = async (wanted: number[][]) =>
      differences(
        await model.native.logprobs(asked),
        wanted.map((row) => Float32Array.from(row)),
      );
    expect(await far(expected.logprobs)).toBeLessThan(1e-5);
    await policyOf(model).resetOptimizer({ ...settings, lr: 1e-2 });
    const losses: number[] = [];
    for (let step = 0; step < 3; step++) losses.push((await model.native.trainStep(asked, 'response')).loss);
    expect(largestDifference(losses, expected.losses)).toBeLessThan(1e-5);
    expect(await far(expected.trained)).toBeLessThan(1e-3);
  });
});
