// This project's engine as a worker of the benchmarks beside peers: one JSON request per line, one JSON answer per line.
// `profile` asks for the seconds of each kind of work too; the worker counts them from then on.
// Arguments: MODEL THREADS. Random weights of the peers' sizes as the language model of an InternVL2; prompts are text.
import { createInterface } from 'node:readline';
import { addon } from '../../dist/engine/binding.js';
import { sizes } from '../lib/flops.mjs';

const vision = {
  image_size: 28,
  patch_size: 14,
  v_hidden: 16,
  v_layers: 1,
  v_heads: 2,
  v_intermediate: 16,
  v_eps: 1e-6,
};
const cut = { downsample: 0.5, min_tiles: 1, max_tiles: 1, use_thumbnail: 0, pad_id: 2, image_context_id: 3 };
const rope = { rope_theta: 1e4, rope_factor: 1, rope_dynamic: 0, max_positions: 2048, l_eps: 1e-5 };
const [name, threads] = process.argv.slice(2);
const native = addon();
const opened = {};
function modelOf(head) {
  opened[head] ??= native.checks.loadModel(
    {
      backbone: 'internvl2',
      config: { ...vision, ...cut, ...rope, ...sizes[name] },
      weights: [],
      device: 'cpu',
      dtype: 'float32',
      threads: Number(threads),
      head,
      tokenBudget: 16_384,
    },
    { random: 1 },
  );
  return opened[head];
}
const optimizer = {
  lr: 1e-6,
  warmupSteps: 0,
  beta1: 0.9,
  beta2: 0.999,
  eps: 1e-8,
  weightDecay: 0.01,
  clip: 0,
  frozen: ['vision_model.', 'mlp1.'],
};
const tokensOf = (seed, count) =>
  Int32Array.from({ length: count }, (_, i) => 4 + ((seed * 7919 + i * 104729 + 13) % (sizes[name].vocab - 4)));

let seed = 0;
function requests({ prompts, tokens, samples, steps = 0, stepTokens = 0 }) {
  return Array.from({ length: prompts }, (_, p) => {
    // Other prompts every time: the engine keeps those of earlier calls, peers do not.
    const asked = { tokens: tokensOf(p + 1000 * seed, tokens), images: [], n: samples };
    if (steps === 0) return [{ ...asked, key: `p${p}` }];
    const response = tokensOf(p + 100, steps * stepTokens);
    return Array.from({ length: steps }, (_, s) => ({
      ...asked,
      prefix: response.slice(0, (s + 1) * stepTokens),
      key: `p${p} step ${s}`,
    }));
  }).flat();
}

/** `prompts` questions, `samples` responses of `new` tokens to each. */
function examples({ prompts, tokens, samples, new: fresh }) {
  return Array.from({ length: prompts * samples }, (_, i) => ({
    tokens: tokensOf(Math.floor(i / samples), tokens),
    images: [],
    response: tokensOf(i + 100, fresh),
  }));
}

async function train(request) {
  const model = await modelOf('none');
  if (!model.version) await model.setOptimizer(optimizer);
  const batch = examples(request);
  await model.trainStep(batch, 'response');
  return { tokens: batch.length * (request.tokens + request.new) };
}

async function score(request) {
  const batch = examples(request);
  // At the ends of eight steps.
  const at = batch.map(({ response }) =>
    Uint32Array.from({ length: 8 }, (_, i) => ((i + 1) * response.length) / 8 - 1),
  );
  await (await modelOf('mean')).score(batch, at);
  return { tokens: batch.length * request.new };
}

async function rollout(request) {
  const sampling = { temperature: 1, topK: 0, topP: 1, maxTokens: request.new, seed: seed++, stop: new Int32Array(0) };
  const model = await modelOf('none');
  const run = await model.rollout(requests(request), sampling, new native.CancelFlag(), null, null);
  return { tokens: run.decodeTokens, seconds: run.seconds, prefillTokens: run.prefillTokens };
}

console.log(
  JSON.stringify({ ready: true, limits: native.checks.probe('cpu', 'float32', 2 ** 28, 1536), info: native.info() }),
);
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  const perform = request.train ? train : request.score ? score : rollout;
  if (request.profile) native.checks.workSeconds();
  const answer = await perform(request);
  if (request.profile) answer.work = native.checks.workSeconds();
  console.log(JSON.stringify(answer));
}
for (const model of Object.values(opened)) await (await model).dispose();
