// This project's engine as a worker of the rollout and label benchmarks: one JSON request per line, one JSON answer per line.
// Arguments: MODEL THREADS. Random weights of the peers' sizes as the language model of an InternVL2; prompts are text.
import { createInterface } from 'node:readline';
import { addon } from '../../dist/engine/binding.js';

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
const sizes = {
  T: { l_hidden: 192, l_layers: 6, l_heads: 6, l_kv_heads: 3, l_intermediate: 512, vocab: 512 },
  S: { l_hidden: 576, l_layers: 30, l_heads: 9, l_kv_heads: 3, l_intermediate: 1536, vocab: 49152 },
};

const [name, threads] = process.argv.slice(2);
const native = addon();
const model = await native.checks.loadModel(
  {
    backbone: 'internvl2',
    config: { ...vision, ...cut, ...rope, ...sizes[name] },
    weights: [],
    device: 'cpu',
    dtype: 'float32',
    threads: Number(threads),
    head: 'none',
    tokenBudget: 8192,
  },
  { random: 1 },
);
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

console.log(
  JSON.stringify({ ready: true, limits: native.checks.probe('cpu', 'float32', 2 ** 28, 1536), info: native.info() }),
);
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  const sampling = { temperature: 1, topK: 0, topP: 1, maxTokens: request.new, seed: seed++, stop: new Int32Array(0) };
  const run = await model.rollout(requests(request), sampling, new native.CancelFlag(), null, null);
  const { decodeTokens, prefillTokens, seconds } = run;
  console.log(JSON.stringify({ tokens: decodeTokens, seconds, prefillTokens }));
}
await model.dispose();
