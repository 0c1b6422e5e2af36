// What the ranks of a job do with their time and memory: for the eyes of the user, nothing of it decides a result.
import type { RolloutStats } from '../core/types.js';
import type { NativeGroup } from '../engine/binding.js';
import type { Ranks } from './host.js';

export interface Usage {
  /** Decoded so far. */
  readonly tokens: number;
  /** Of the engine. */
  readonly busySeconds: number;
  /** Resident memory of the process. */
  readonly residentBytes: number;
  /** On a GPU. */
  readonly gpuFreeBytes?: number;
}

/** Counts what this rank decodes. */
export class OwnUsage {
  device: 'cpu' | 'cuda' = 'cpu';
  #tokens = 0;

  /** To be told of every rollout call of this rank. */
  readonly add = ({ decodeTokens }: RolloutStats): void => {
    this.#tokens += decodeTokens;
  };

  read(group: NativeGroup): Usage {
    return { tokens: this.#tokens, residentBytes: process.memoryUsage.rss(), ...group.usage(this.device) };
  }
}

/** What all ranks did since they joined, as it was when they were last asked. */
export class RanksUsage {
  readonly own = new OwnUsage();
  readonly #ranks: Ranks;
  readonly #clock: () => number;
  readonly #began: number;
  #seconds = 0;
  #found: readonly Usage[] = [];

  /** @param clock seconds that only grow */
  constructor(ranks: Ranks, clock: () => number = () => performance.now() / 1000) {
    this.#ranks = ranks;
    this.#clock = clock;
    this.#began = clock();
  }

  async ask(): Promise<void> {
    const others = this.#ranks.others.map((other) => other.call({ verb: 'usage', args: [] }) as Promise<Usage>);
    this.#found = [this.own.read(this.#ranks.group), ...(await Promise.all(others))];
    this.#seconds = Math.max(1e-3, this.#clock() - this.#began);
  }

  /** The least and the most of the ranks, short enough for a line of progress; undefined before the first answer. */
  note(): string | undefined {
    if (this.#found.length === 0) return undefined;
    const range = (of: (usage: Usage) => number, digits = 0): string => {
      const [least, most] = [Math.min, Math.max].map((pick) => pick(...this.#found.map(of)).toFixed(digits));
      return least === most ? `${least}` : `${least} to ${most}`;
    };
    const parts = [
      `${range((usage) => this.#rate(usage))} tokens/s`,
      `${range((usage) => this.#waiting(usage))} % waiting`,
      `${range(({ residentBytes }) => residentBytes / 2 ** 30, 1)} GiB`,
    ];
    return `${this.#found.length} ranks: ${parts.join(', ')}`;
  }

  /** A line for each rank. */
  lines(): string[] {
    return this.#found.map((usage, rank) => {
      const { tokens, residentBytes, gpuFreeBytes } = usage;
      const name = this.#ranks.others[rank - 1]?.name ?? this.#ranks.name;
      const parts = [
        `${tokens.toLocaleString('en-US')} tokens decoded (${this.#rate(usage).toFixed(0)}/s)`,
        `${this.#waiting(usage).toFixed(0)} % of the time waiting`,
        `${(residentBytes / 2 ** 30).toFixed(2)} GiB resident`,
        ...(gpuFreeBytes === undefined ? [] : [`${(gpuFreeBytes / 2 ** 30).toFixed(1)} GiB free on its GPU`]),
      ];
      return `${name}: ${parts.join(', ')}`;
    });
  }

  #rate({ tokens }: Usage): number {
    return tokens / this.#seconds;
  }

  /** Per cent of the time in which the engine of a rank had nothing to do, or waited for other ranks. */
  #waiting({ busySeconds }: Usage): number {
    return 100 * Math.min(1, Math.max(0, 1 - busySeconds / this.#seconds));
  }
}
