// Monte-Carlo step labelling beside the peers: 4 prompts of 64 tokens, a response of 6 steps of 16 tokens each, 8 completions of 48 tokens
// from every step end. `npm run bench -- label [--rounds 5] [--json FILE] [--save]`. How peers are set up stands in lib/peers.mjs.
import { rolloutFlops } from './lib/flops.mjs';
import { compare, finish, option } from './lib/peers.mjs';

const rounds = Number(option('rounds', '5'));
const load = { prompts: 4, tokens: 64, samples: 8, new: 48, steps: 6, stepTokens: 16 };
const competitors = {
  mstar: '',
  plain_cascade: 'plain_cascade',
  plain: 'plain',
  hf_naive: 'hf_naive',
  llamacpp_f32: '',
  llamacpp_f32_split: '',
};
const title = 'labelling, T, 4 x 6 steps x 8 x 48';
const plan = { title, model: 'T', threads: 1, load, competitors, rounds, flops: rolloutFlops('T', load) };
finish('label', [await compare(plan)]);
