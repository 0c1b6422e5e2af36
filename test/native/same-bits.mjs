// Says of log-probabilities in sampling and in training how many there are and how many differ: `node same-bits.mjs`, under whatever
// MSTAR_SIMD names. Long enough for several blocks of attention, prefills and products; trained, so that attention is not flat.
import { createRequire } from 'node:module';

const addon = createRequire(import.meta.url)('../../.native/Release/mstar.node');
const vision = {
  image_size: 28,
  patch_size: 14,
  v_hidden: 16,
  v_layers: 1,
  v_heads: 2,
  v_intermediate: 16,
  v_eps: 1e-6,
};
const tiles = { downsample: 0.5, min_tiles: 1, max_tiles: 1, use_thumbnail: 0, pad_id: 2, image_context_id: 3 };
const language = { l_hidden: 48, l_layers: 2, l_heads: 4, l_kv_heads: 2, l_intermediate: 600, l_eps: 1e-5, vocab: 203 };
const rope = { rope_theta: 1e4, rope_factor: 1, rope_dynamic: 0, max_positions: 2048 };
const config = { ...vision, ...tiles, ...language, ...rope };
const how = { device: 'cpu', dtype: 'float32', threads: 1, head: 'none', tokenBudget: 2048 };
const model = await addon.checks.loadModel({ backbone: 'internvl2', config, weights: [], ...how }, { random: 1 });

const tokens = (seed, count) => Int32Array.from({ length: count }, (_, i) => 4 + ((seed * 7919 + i * 104729) % 199));
const start = tokens(1, 150);
const asked = [0, 1, 2].map((p) => ({
  ...{ tokens: Int32Array.from([...start, ...tokens(p + 5, 180)]), images: [], n: 4, key: `p${p}` },
  ...(p === 2 && { prefix: tokens(9, 37) }),
}));
const adamw = { warmupSteps: 0, beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0, clip: 0, frozen: [] };
await model.setOptimizer({ lr: 1e-2, ...adamw });
const taught = asked.map((one, p) => ({ tokens: one.tokens, images: [], response: tokens(p + 20, 60) }));
for (let step = 0; step < 8; step++) await model.trainStep(taught, 'response');

const sampling = { topK: 0, topP: 1, maxTokens: 90, seed: 3, stop: new Int32Array(0), scaledLogprobs: true };
const found = { tokens: 0, differ: 0, lowest: 0 };
for (const temperature of [1, 0.7]) {
  const { responses } = await model.rollout(asked, { temperature, ...sampling }, new addon.CancelFlag(), null, null);
  for (const [p, { tokens, prefix = [] }] of asked.entries()) {
    const whole = responses[p].map((one) => Int32Array.from([...prefix, ...one.tokens]));
    const rated = await model.logprobs(
      whole.map((response) => ({ tokens, images: [], response })),
      temperature,
    );
    for (const [r, { logprobs }] of responses[p].entries())
      for (const [t, value] of logprobs.entries()) {
        found.tokens++;
        if (value !== rated[r][prefix.length + t]) found.differ++;
        found.lowest = Math.min(found.lowest, value);
      }
  }
}
await model.dispose();
console.log(JSON.stringify(found));
