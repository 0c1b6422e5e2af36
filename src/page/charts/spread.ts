// Moves names beside lines apart, each as little as possible. Pure.

/** Places that are pushed as one; `sum` of where its members want the first of them to be. */
interface Block {
  readonly size: number;
  readonly sum: number;
}

/**
 * New places of the same order, at least `gap` apart and, as far as they fit, from `low` to `high`; of all such places the
 * ones nearest to the wanted ones (least squares). Equal wishes keep the order of the list.
 */
export function spread(wanted: readonly number[], gap: number, low: number, high: number): number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => (wanted[a] as number) - (wanted[b] as number));
  const blocks: Block[] = [];
  for (const index of order) {
    let block: Block = { size: 1, sum: wanted[index] as number };
    for (let last = blocks.at(-1); last && start(last) + last.size * gap > start(block); last = blocks.at(-1)) {
      blocks.pop();
      // Seen from the first place of the joined block, the later members want to be that much higher up.
      block = {
        size: last.size + block.size,
        sum: last.sum + block.sum - block.size * last.size * gap,
      };
    }
    blocks.push(block);
  }
  const places: number[] = [];
  let least = low;
  for (const block of blocks) {
    const from = Math.max(least, start(block));
    for (let i = 0; i < block.size; i++) places.push(from + i * gap);
    least = from + block.size * gap;
  }
  for (let rank = places.length - 1, most = high; rank >= 0 && (places[rank] as number) > most; rank--, most -= gap)
    places[rank] = most;
  return wanted.map((_, i) => places[order.indexOf(i)] as number);
}

function start({ sum, size }: Block): number {
  return sum / size;
}
