// Speed on a GPU with random weights of the true decoder shapes, made on the card: rollout (16 prompts x 16 samples), labelling
// (forks at step ends) and one training step; beside them the card's measured limits. `npm run bench -- gpu [--save] [--only NAME] [--peers]`;
// with --peers HF generate() beside it, where MSTAR_PEERS_PYTHON (or python3) has torch and transformers.
// Vision towers are cut to one layer: prompts are text, so that the decoder is what is measured.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { addon } from '../dist/engine/binding.js';
import { save } from './lib/results.mjs';

const PROMPTS = 16;
const SAMPLES = 16;
const PROMPT_TOKENS = 1024;
const NEW_TOKENS = 300;
const SEGMENTS = 6;

const vision = {
  image_size: 28,
  patch_size: 14,
  v_hidden: 64,
  v_layers: 1,
  v_heads: 2,
  v_intermediate: 64,
  v_eps: 1e-6,
};
const cut = { downsample: 0.5, min_tiles: 1, max_tiles: 1, use_thumbnail: 0, pad_id: 2, image_context_id: 11 };
const rope = { rope_theta: 1e6, rope_factor: 1, rope_dynamic: 0, max_positions: 32768, l_eps: 1e-5 };
const shape = (sizes) => ({ ...vision, ...cut, ...rope, ...sizes });
const MODELS = {
  'InternVL2-2B': shape({
    l_hidden: 2048,
    l_layers: 24,
    l_heads: 16,
    l_kv_heads: 8,
    l_intermediate: 8192,
    vocab: 92553,
  }),
  'Phi-3.5-vision': shape({
    l_hidden: 3072,
    l_layers: 32,
    l_heads: 32,
    l_kv_heads: 32,
    l_intermediate: 8192,
    vocab: 32064,
  }),
  'MiniCPM-Llama3-V-2.5': shape({
    l_hidden: 4096,
    l_layers: 32,
    l_heads: 32,
    l_kv_heads: 8,
    l_intermediate: 14336,
    vocab: 128256,
  }),
};

const native = addon();
const flag = () => new native.CancelFlag();
const tokensOf = (seed, count) =>
  Int32Array.from({ length: count }, (_, i) => 100 + ((seed * 7919 + i * 104729) % 30000));
const sampling = (maxTokens, seed) => ({ temperature: 1, topK: 0, topP: 1, maxTokens, seed, stop: new Int32Array(0) });
const seconds = (from) => (performance.now() - from) / 1000;

function parameters(c) {
  const head = c.l_hidden / c.l_heads;
  const layer =
    c.l_hidden * (c.l_heads + 2 * c.l_kv_heads) * head + c.l_hidden ** 2 + 3 * c.l_hidden * c.l_intermediate;
  return { decoder: layer * c.l_layers + c.l_hidden * c.vocab, kvBytes: 4 * c.l_layers * c.l_kv_heads * head };
}

/** Seconds that the card's limits allow for the rollout: weights and keys read once per step, or the products, whichever is longer. */
function floorSeconds(c, limits) {
  const { decoder, kvBytes } = parameters(c);
  const rows = PROMPTS * SAMPLES;
  const prefill = (2 * decoder * PROMPTS * PROMPT_TOKENS) / limits.matmulFlopsPerSecond;
  let decode = 0;
  for (let step = 1; step < NEW_TOKENS; step++) {
    const bytes = 2 * decoder + kvBytes * (PROMPTS * PROMPT_TOKENS + rows * step);
    decode += Math.max(bytes / limits.copyBytesPerSecond, (2 * decoder * rows) / limits.matmulFlopsPerSecond);
  }
  return prefill + decode;
}

async function measure(config, limits) {
  const spec = {
    backbone: 'internvl2',
    config,
    weights: [],
    device: 'cuda',
    dtype: 'bfloat16',
    threads: 8,
    head: 'none',
    tokenBudget: 8192,
  };
  const begin = performance.now();
  const model = await native.checks.loadModel(spec, { random: 1 });
  const made = seconds(begin);
  const prompts = Array.from({ length: PROMPTS }, (_, i) => ({ tokens: tokensOf(i, PROMPT_TOKENS), images: [] }));
  const asked = prompts.map((prompt, i) => ({ ...prompt, n: SAMPLES, key: `q${i}` }));
  const roll = (requests, maxTokens, seed) => model.rollout(requests, sampling(maxTokens, seed), flag(), null, null);
  await roll(asked, 16, 0);
  const rollouts = [];
  for (let round = 0; round < 3; round++) rollouts.push(await roll(asked, NEW_TOKENS, round));
  rollouts.sort((a, b) => a.seconds - b.seconds);
  const rollout = rollouts[1];
  const result = {
    parameters: parameters(config).decoder,
    madeSeconds: made,
    rollout: {
      seconds: rollout.seconds,
      tokens: rollout.decodeTokens,
      tokensPerSecond: rollout.decodeTokens / rollout.seconds,
      shareOfLimits: floorSeconds(config, limits) / rollout.seconds,
      prefillTokens: rollout.prefillTokens,
      prefillTokensIfNotShared: PROMPTS * SAMPLES * PROMPT_TOKENS,
    },
  };
  // Labelling: one response of each of 4 prompts, forked at 6 step ends, 16 completions each.
  const forks = asked.slice(0, 4).flatMap((prompt, i) =>
    Array.from({ length: SEGMENTS }, (_, step) => {
      const prefix = rollout.responses[i][0].tokens.slice(0, (step + 1) * 40);
      return { ...prompt, prefix, n: SAMPLES, key: `q${i} step ${step}` };
    }),
  );
  const label = await roll(forks, 200, 9);
  const whole = forks.reduce((sum, fork) => sum + fork.n * (fork.tokens.length + fork.prefix.length), 0);
  result.labelling = {
    seconds: label.seconds,
    tokensPerSecond: label.decodeTokens / label.seconds,
    prefillTokens: label.prefillTokens,
    prefillTokensIfNotShared: whole,
  };
  result.memoryBytesUsed = limits.freeBytes - native.checks.probe('cuda', 'bfloat16', 1 << 20, 256).freeBytes;
  if (parameters(config).decoder < 2.5e9) {
    await model.setOptimizer({
      lr: 1e-6,
      warmupSteps: 0,
      beta1: 0.9,
      beta2: 0.95,
      eps: 1e-8,
      weightDecay: 0,
      clip: 1,
      frozen: [],
    });
    const batch = prompts.map((prompt, i) => ({ ...prompt, response: rollout.responses[i][0].tokens }));
    await model.trainStep(batch, 'response');
    const started = performance.now();
    for (let step = 0; step < 3; step++) await model.trainStep(batch, 'response');
    const perStep = seconds(started) / 3;
    const all = PROMPTS * (PROMPT_TOKENS + NEW_TOKENS);
    result.train = {
      secondsPerStep: perStep,
      tokensPerSecond: all / perStep,
      shareOfMatmulLimit: (6 * parameters(config).decoder * all) / perStep / limits.matmulFlopsPerSecond,
    };
  }
  await model.dispose();
  result.transformersGenerate = transformers(config);
  return result;
}

/** The same load through HF generate(), in a process of its own when the card is free again; why not, where Python lacks it. */
function transformers(config) {
  if (!process.argv.includes('--peers')) return 'not asked for (--peers)';
  const load = {
    device: 'cuda',
    prompts: PROMPTS,
    promptTokens: PROMPT_TOKENS,
    samples: SAMPLES,
    newTokens: NEW_TOKENS,
  };
  const program = fileURLToPath(new URL('./peers/hf_gpu.py', import.meta.url));
  const python = process.env.MSTAR_PEERS_PYTHON ?? 'python3';
  const { status, stdout, stderr } = spawnSync(python, [program, JSON.stringify({ ...config, ...load })], {
    encoding: 'utf8',
  });
  return status === 0 ? JSON.parse(stdout.trim().split('\n').at(-1)) : `failed: ${stderr?.trim().split('\n').at(-1)}`;
}

const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1] : undefined;
const limits = native.checks.probe('cuda', 'bfloat16', 2 ** 30, 8192);
const results = { limits, torch: native.info().torch, models: {} };
for (const [name, config] of Object.entries(MODELS)) {
  if (only && !name.toLowerCase().includes(only.toLowerCase())) continue;
  results.models[name] = await measure(config, limits);
  console.log(name, JSON.stringify(results.models[name], null, 1));
}
save('gpu', results);
