// The peers' models T and S, and the floating-point operations of their passes when no prompt is shared.
export const sizes = {
  T: { l_hidden: 192, l_layers: 6, l_heads: 6, l_kv_heads: 3, l_intermediate: 512, vocab: 512 },
  S: { l_hidden: 576, l_layers: 30, l_heads: 9, l_kv_heads: 3, l_intermediate: 1536, vocab: 49152 },
};

/** Of the layers' matrices, for one token. */
function layerFlops({ l_hidden, l_heads, l_kv_heads, l_layers, l_intermediate }) {
  const kv = (l_hidden * l_kv_heads) / l_heads;
  return 2 * l_layers * (2 * l_hidden * (l_hidden + kv) + 3 * l_hidden * l_intermediate);
}

/** Of the layers, for every token of every sequence. */
export function forwardFlops(model, { prompts, samples, tokens, new: fresh }) {
  const s = sizes[model];
  const length = tokens + fresh;
  return prompts * samples * length * (layerFlops(s) + 2 * s.l_layers * s.l_hidden * length);
}

/** Of a rollout that computes each prompt, and in labelling each step of a response, once. */
export function rolloutFlops(model, { prompts, samples, tokens, new: fresh, steps = 0, stepTokens = 0 }) {
  const s = sizes[model];
  const attention = (length) => 4 * s.l_layers * s.l_hidden * length;
  const head = 2 * s.vocab * s.l_hidden;
  let sum = prompts * (tokens + steps * stepTokens) * (layerFlops(s) + attention((tokens + steps * stepTokens) / 2));
  for (let step = 0; step < Math.max(1, steps); step++) {
    const seen = tokens + (steps ? (step + 1) * stepTokens : 0) + fresh / 2;
    sum += prompts * samples * fresh * (layerFlops(s) + head + attention(seen));
  }
  return sum;
}

/** Forward and backward, the output matrix for response tokens alone. */
export function trainingFlops(model, load) {
  const head = 2 * sizes[model].vocab * sizes[model].l_hidden * load.prompts * load.samples * load.new;
  return 3 * (forwardFlops(model, load) + head);
}
