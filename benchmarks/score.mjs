// Scoring the responses to one prompt beside the peers on one core: float32, a prompt of 256 tokens, 16 responses.
// mstar computes the prompt once. `npm run bench -- score [--rounds 5] [--only T|S] [--json FILE] [--save]`. How peers are
// set up stands in lib/peers.mjs.

import { forwardFlops } from './lib/flops.mjs';
import { compare, finish, option } from './lib/peers.mjs';

const rounds = Number(option('rounds', '5'));
const only = option('only');
const competitors = { mstar: '', hf: 'hf', plain: 'plain' };
const comparisons = [];
for (const model of ['T', 'S'])
  for (const fresh of [64, 256]) {
    if (only && model !== only) continue;
    const load = { score: true, prompts: 1, tokens: 256, samples: 16, new: fresh };
    const title = `scoring, ${model}, 1 prompt of 256 x 16 responses of ${fresh}`;
    comparisons.push(
      await compare({ title, model, load, threads: 1, competitors, rounds, flops: forwardFlops(model, load) }),
    );
  }
finish('score', comparisons);
