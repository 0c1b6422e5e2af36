// Sampling beside the peers on one or two CPU cores: prompts of 64 tokens x 16 samples, temperature 1, no stop, random weights.
// `npm run bench -- rollout [--rounds 5] [--only T|S] [--json FILE] [--save]`. How peers are set up stands in lib/peers.mjs.
import { rolloutFlops } from './lib/flops.mjs';
import { compare, finish, option } from './lib/peers.mjs';

const rounds = Number(option('rounds', '5'));
const only = option('only');
const competitors = {
  mstar: '',
  plain_cascade: 'plain_cascade',
  plain: 'plain',
  hf: 'hf',
  llamacpp_f32: '',
  llamacpp_f32_split: '',
  llamacpp_f16_split: '',
};
const load = (prompts, fresh) => ({ prompts, tokens: 64, samples: 16, new: fresh });
const plans = [
  { title: 'T, 4 prompts x 16 x 128', model: 'T', threads: 1, load: load(4, 128), competitors, rounds },
  { title: 'T, 8 prompts x 16 x 128', model: 'T', threads: 1, load: load(8, 128), competitors, rounds },
  {
    title: 'S, 1 prompt x 16 x 64',
    model: 'S',
    threads: 1,
    load: load(1, 64),
    competitors,
    rounds: Math.min(rounds, 3),
  },
  {
    title: 'S, 4 prompts x 16 x 16',
    model: 'S',
    threads: 1,
    load: load(4, 16),
    competitors,
    rounds: Math.min(rounds, 3),
  },
  {
    title: 'T, 8 prompts x 16 x 128',
    model: 'T',
    threads: 2,
    load: load(8, 128),
    competitors: { mstar: '', plain_cascade: 'plain_cascade' },
    rounds,
  },
  { title: 'S, 4 prompts x 16 x 16', model: 'S', threads: 2, load: load(4, 16), competitors: { mstar: '' }, rounds },
];
const comparisons = [];
for (const plan of plans)
  if (!only || plan.model === only)
    comparisons.push(await compare({ ...plan, flops: rolloutFlops(plan.model, plan.load) }));
finish('rollout', comparisons);
