// What the rollout calls of a job computed, in one line: the counters that show what was shared.
import type { RolloutStats } from '../core/types.js';

/** Adds up calls; `line` says nothing where there was none, as when a finished job is asked for again. */
export class Computed {
  #calls = 0;
  #pictures = 0;
  #prefill = 0;
  #decoded = 0;
  #kept = 0;
  #again = 0;
  #bytes = 0;

  /** To be told of every call. */
  readonly add = (stats: RolloutStats): void => {
    this.#calls++;
    this.#pictures += stats.visionEncodes;
    this.#prefill += stats.prefillTokens;
    this.#decoded += stats.decodeTokens;
    this.#kept += stats.cachedPrompts;
    this.#again += stats.recomputedTokens;
    this.#bytes = Math.max(this.#bytes, stats.kvBytes);
  };

  line(): string[] {
    if (this.#calls === 0) return [];
    const count = (value: number): string => value.toLocaleString('en-US');
    const parts = [
      `${count(this.#pictures)} pictures encoded`,
      `${count(this.#prefill)} tokens prefilled`,
      `${count(this.#decoded)} decoded`,
      ...(this.#kept > 0 ? [`${count(this.#kept)} prompts kept from earlier calls`] : []),
      ...(this.#again > 0 ? [`${count(this.#again)} tokens computed again for want of memory`] : []),
      ...(this.#bytes > 0 ? [`keys and values at most ${count(Math.ceil(this.#bytes / 2 ** 20))} MiB`] : []),
    ];
    return [`computed: ${parts.join(', ')}`];
  }
}
