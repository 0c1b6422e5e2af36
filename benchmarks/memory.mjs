// The memory of each phase on the CPU as it is planned (src/engine/plan.ts) and as it is measured: the most that a process held at one time, less what
// it held before the model was loaded. Random weights; a fresh process for each line. `npm run bench -- memory [--only NAME] [--save]`.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { addon } from '../dist/engine/binding.js';
import { planMemory } from '../dist/engine/plan.js';
import { option } from './lib/peers.mjs';
import { save } from './lib/results.mjs';

const MIB = 2 ** 20;
const text = { max_positions: 4096, rope_theta: 1e6, rope_factor: 1, rope_dynamic: 0, l_eps: 1e-5, vocab: 32000 };
const cut = { image_size: 448, patch_size: 14, downsample: 0.5, min_tiles: 1, max_tiles: 2, use_thumbnail: 0 };
const ids = { pad_id: 2, image_context_id: 3, v_eps: 1e-6 };
const small = { v_hidden: 256, v_layers: 4, v_heads: 4, v_intermediate: 1024 };
// Large enough that a micro-batch has the whole token budget.
const wide = { l_hidden: 1024, l_layers: 20, l_heads: 16, l_kv_heads: 4, l_intermediate: 2816 };
const config = { ...text, ...cut, ...ids, ...small, ...wide };
/** A tile of 448 x 448 is 1,024 patches and 256 tokens. */
const IMAGE_TOKENS = 256;
const cases = {};
for (const dtype of ['float32', 'bfloat16'])
  for (const [phase, more] of Object.entries({
    rollout: {},
    scoring: {},
    'training, all layers kept': { keptLayers: 20 },
    'training, half of them': { keptLayers: 10 },
    'training, none': { keptLayers: 0 },
    'training, vision frozen': { keptLayers: 20, frozen: true },
  }))
    cases[`${dtype} ${phase}`] = { dtype, phase: phase.split(',')[0], ...more };
const work = { rows: 64, samples: 16, promptTokens: 320, maxTokens: 192, tokenBudget: 1024, patches: 1024 };

function sizesOf({ frozen }) {
  const shapes = addon().parameterShapes('internvl2', config);
  const count = (chosen) => chosen.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  const learns = shapes.filter(({ name }) => !(frozen && name.startsWith('vision_model.')));
  return {
    parameters: count(shapes),
    language: count(shapes.filter(({ name }) => name.startsWith('language_model.'))),
    trained: count(learns),
    largest: Math.max(...learns.map((one) => count([one]))),
    decoder: addon().decoderShape('internvl2', config),
    tower: { layers: 4, hidden: 256, intermediate: 1024, frozen: frozen ?? false },
  };
}

const status = (field) =>
  Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;

/** MiB that one phase takes in this process. */
async function measure({ dtype, phase, keptLayers, frozen }) {
  const native = addon();
  const before = status('VmRSS');
  const spec = {
    backbone: 'internvl2',
    config,
    weights: [],
    device: 'cpu',
    dtype,
    threads: 1,
    ...(keptLayers !== undefined && { recompute: config.l_layers - keptLayers }),
  };
  const head = phase === 'scoring' ? 'mean' : 'none';
  const model = await native.checks.loadModel({ ...spec, head, tokenBudget: work.tokenBudget }, { random: 1 });
  // The peak of loading is not what the plan is about.
  writeFileSync('/proc/self/clear_refs', '5');
  const tokensOf = (seed, count) =>
    Int32Array.from({ length: count }, (_, i) => 4 + ((seed * 7919 + i * 104729) % 31_000));
  const rgb = new Uint8Array(448 * 448 * 3).fill(127);
  const prompt = (seed) => {
    const tokens = tokensOf(seed, work.promptTokens);
    tokens.fill(ids.image_context_id, 8, 8 + IMAGE_TOKENS);
    return { tokens, images: [{ key: `grey ${seed}`, width: 448, height: 448, rgb }] };
  };
  if (phase === 'rollout') {
    const requests = Array.from({ length: work.rows / work.samples }, (_, i) => ({
      ...prompt(i),
      n: work.samples,
      key: `${i}`,
    }));
    const sampling = { temperature: 1, topK: 0, topP: 1, maxTokens: work.maxTokens, seed: 1, stop: new Int32Array(0) };
    await model.rollout(requests, sampling, new native.CancelFlag(), null, null);
  } else {
    // Two micro-batches of a step: in the second, graphs and the sums of all gradients are held together.
    const tokens = (phase === 'training' ? 2 : 1) * work.tokenBudget;
    const examples = Array.from({ length: Math.floor(tokens / (work.promptTokens + work.maxTokens)) }, (_, i) => ({
      ...prompt(i),
      response: tokensOf(i + 50, work.maxTokens),
    }));
    if (phase === 'scoring') {
      await model.score(
        examples,
        examples.map(() => Uint32Array.from([work.maxTokens - 1])),
      );
    } else {
      const optimizer = { lr: 1e-6, warmupSteps: 0, beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0.01, clip: 1 };
      await model.setOptimizer({ ...optimizer, frozen: frozen ? ['vision_model.'] : [] });
      // Moments come with the end of the first step.
      for (let step = 0; step < 2; step++) await model.trainStep(examples, 'response');
    }
  }
  return status('VmHWM') - before;
}

if (option('measure')) {
  console.log(JSON.stringify(await measure(cases[option('measure')])));
  process.exit(0);
}
const rows = [];
for (const [name, one] of Object.entries(cases)) {
  if (option('only') && !name.includes(option('only'))) continue;
  const plan = planMemory(sizesOf(one), {
    ...work,
    dtype: one.dtype,
    device: 'cpu',
    gpus: 1,
    keptLayers: one.keptLayers,
  }).find(({ phase }) => phase === one.phase);
  const output = execFileSync(process.execPath, [fileURLToPath(import.meta.url), '--measure', name], {
    encoding: 'utf8',
  });
  const [planned, measured] = [plan.total / MIB, JSON.parse(output)];
  console.error(
    `${name.padEnd(36)} planned ${planned.toFixed(0).padStart(6)} MiB, measured ${measured.toFixed(0).padStart(6)}, ${(100 * (planned / measured - 1)).toFixed(0).padStart(4)} %`,
  );
  for (const { what, bytes } of plan.items)
    console.error(`    ${what.padEnd(44)} ${(bytes / MIB).toFixed(0).padStart(6)}`);
  rows.push({ name, planned, measured });
}
save('memory', { work, rows });
