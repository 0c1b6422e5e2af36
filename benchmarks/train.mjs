// An optimizer step beside the peers on one core: float32, AdamW, sequences of 256 tokens, the loss on the responses.
// Prompts hold 0 and 75 % of the tokens; where they do, each has two responses, and mstar computes it once.
// `npm run bench -- train [--rounds 5] [--only T|S] [--json FILE] [--save]`. How peers are set up stands in lib/peers.mjs.

import { trainingFlops } from './lib/flops.mjs';
import { compare, finish, option } from './lib/peers.mjs';

const rounds = Number(option('rounds', '5'));
const only = option('only');
const competitors = { mstar: '', hf_fused: 'hf', plain: 'plain', trl: 'trl' };
const plans = [
  { title: 'SFT, T, 8 x 256', model: 'T', load: { prompts: 8, tokens: 1, samples: 1, new: 255 } },
  {
    title: 'SFT, T, 4 prompts of 192 x 2 responses of 64',
    model: 'T',
    load: { prompts: 4, tokens: 192, samples: 2, new: 64 },
  },
  { title: 'SFT, S, 2 x 256', model: 'S', load: { prompts: 2, tokens: 1, samples: 1, new: 255 } },
  {
    title: 'SFT, S, 1 prompt of 192 x 2 responses of 64',
    model: 'S',
    load: { prompts: 1, tokens: 192, samples: 2, new: 64 },
  },
];
const comparisons = [];
for (const plan of plans) {
  if (only && plan.model !== only) continue;
  const load = { ...plan.load, train: true };
  comparisons.push(
    await compare({ ...plan, load, threads: 1, competitors, rounds, flops: trainingFlops(plan.model, load) }),
  );
}
finish('train', comparisons);
