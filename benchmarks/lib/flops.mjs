// The peers' models T and S, and the floating-point operations of their passes when no prompt is shared.
export const sizes = {
  T: { l_hidden: 192, l_layers: 6, l_heads: 6, l_kv_heads: 3, l_intermediate: 512, vocab: 512 },
  S: { l_hidden: 576, l_layers: 30, l_heads: 9, l_kv_heads: 3, l_intermediate: 1536, vocab: 49152 },
};

/** Of the layers, for every token of every sequence. */
export function forwardFlops(model, { prompts, samples, tokens, new: fresh }) {
  const s = sizes[model];
  const kv = (s.l_hidden * s.l_kv_heads) / s.l_heads;
  const numbers = s.l_layers * (2 * s.l_hidden * (s.l_hidden + kv) + 3 * s.l_hidden * s.l_intermediate);
  const length = tokens + fresh;
  return prompts * samples * length * (2 * numbers + 2 * s.l_layers * s.l_hidden * length);
}

/** Forward and backward, the output matrix for response tokens alone. */
export function trainingFlops(model, load) {
  const head = 2 * sizes[model].vocab * sizes[model].l_hidden * load.prompts * load.samples * load.new;
  return 3 * (forwardFlops(model, load) + head);
}
