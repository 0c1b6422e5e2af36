// What the rollout calls of a job computed, in one line: the counters that show what was shared.
import type { RolloutStats } from '../core/types.js';

/** Adds up calls; `line` says nothing where there was none, as when a finished job is asked for again. */
export class Computed {
  #sum: RolloutStats | undefined;

  /** To be told of every call. */
  readonly add = (stats: RolloutStats): void => {
    const sum: { -readonly [name in keyof RolloutStats]: number } = { ...(this.#sum ?? stats) };
    if (this.#sum) for (const name of Object.keys(sum) as (keyof RolloutStats)[]) sum[name] += stats[name];
    sum.kvBytes = Math.max(this.#sum?.kvBytes ?? 0, stats.kvBytes);
    this.#sum = sum;
  };

  line(): string[] {
    if (!this.#sum) return [];
    const { visionEncodes, prefillTokens, decodeTokens, cachedPrompts, recomputedTokens, kvBytes } = this.#sum;
    const count = (value: number): string => value.toLocaleString('en-US');
    const parts = [
      `${count(visionEncodes)} pictures encoded`,
      `${count(prefillTokens)} tokens prefilled`,
      `${count(decodeTokens)} decoded`,
      ...(cachedPrompts > 0 ? [`${count(cachedPrompts)} prompts kept from earlier calls`] : []),
      ...(recomputedTokens > 0 ? [`${count(recomputedTokens)} tokens computed again for want of memory`] : []),
      ...(kvBytes > 0 ? [`keys and values at most ${count(Math.ceil(kvBytes / 2 ** 20))} MiB`] : []),
    ];
    return [`computed: ${parts.join(', ')}`];
  }
}
