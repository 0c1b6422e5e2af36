// Byte-pair encoding by a list of merges, as a tokenizer.json gives it: from words to ids.
import { Agenda, type Merge } from './agenda.js';

/** Ids are below this, so that a pair of them is one exact number. */
export const ID_LIMIT = 2 ** 24;

/** Which neighbours merge, by id: earlier ranks first. */
export class MergeList {
  readonly #ranks = new Map<number, number>();
  readonly #results: number[] = [];

  /** Of a pair given twice the later rank counts. */
  add(left: number, right: number, result: number): void {
    this.#ranks.set(left * ID_LIMIT + right, this.#results.length);
    this.#results.push(result);
  }

  rankOf(left: number, right: number): number | undefined {
    return this.#ranks.get(left * ID_LIMIT + right);
  }

  resultOf(rank: number): number {
    return this.#results[rank] as number;
  }
}

export interface PairModel {
  readonly vocabulary: ReadonlyMap<string, number>;
  readonly merges: MergeList;
  /** A word of the vocabulary is its own id, whatever the merges would make of it. */
  readonly ignoreMerges: boolean;
  /** Ids of the 256 byte pieces; empty where every character is in the vocabulary. */
  readonly byteIds: readonly number[];
}

const longestCached = 64;
const mostCached = 65_536;

export class PairEncoder {
  readonly #model: PairModel;
  readonly #blocked: ReadonlySet<number>;
  readonly #cache = new Map<string, readonly number[]>();

  /** `blocked`: ids that neither a merge nor a whole word may yield. */
  constructor(model: PairModel, blocked: ReadonlySet<number>) {
    this.#model = model;
    this.#blocked = blocked;
  }

  /** Appends the ids of `word` to `ids`. O(n log n) in the word's length. */
  encode(word: string, ids: number[]): void {
    let found = this.#cache.get(word);
    if (!found) {
      found = this.#idsOf(word);
      if (this.#cache.size === mostCached) this.#cache.clear();
      if (word.length <= longestCached) this.#cache.set(word, found);
    }
    for (const id of found) ids.push(id);
  }

  #idsOf(word: string): readonly number[] {
    const { vocabulary, ignoreMerges, byteIds } = this.#model;
    const whole = ignoreMerges ? vocabulary.get(word) : undefined;
    if (whole !== undefined && !this.#blocked.has(whole)) return [whole];
    const symbols: number[] = [];
    for (const character of word) {
      const id = vocabulary.get(character);
      if (id !== undefined) symbols.push(id);
      else for (const byte of Buffer.from(character, 'utf8')) symbols.push(byteIds[byte] as number);
    }
    return this.#merge(Int32Array.from(symbols));
  }

  #merge(ids: Int32Array): number[] {
    const { merges } = this.#model;
    const agenda = new Agenda<Merge>();
    const previous = Int32Array.from(ids, (_, at) => at - 1);
    const next = Int32Array.from(ids, (_, at) => at + 1);

    const rankAt = (left: number, right: number): number | undefined => {
      const rank = merges.rankOf(ids[left] as number, ids[right] as number);
      return rank === undefined || this.#blocked.has(merges.resultOf(rank)) ? undefined : rank;
    };
    const consider = (left: number, right: number): void => {
      const rank = left >= 0 && right < ids.length ? rankAt(left, right) : undefined;
      if (rank !== undefined) agenda.push({ left, score: -rank });
    };

    for (let at = 1; at < ids.length; at++) consider(at - 1, at);
    for (let merge = agenda.pop(); merge; merge = agenda.pop()) {
      const { left } = merge;
      const right = next[left] as number;
      if (ids[left] === gone || right === ids.length) continue;
      const rank = rankAt(left, right);
      const result = merges.resultOf(-merge.score);
      // Stale, unless the neighbours of today make the same piece, as in the reference.
      if (rank === undefined || merges.resultOf(rank) !== result) continue;
      const after = next[right] as number;
      ids[left] = result;
      ids[right] = gone;
      next[left] = after;
      if (after < ids.length) previous[after] = left;
      consider(previous[left] as number, left);
      consider(left, after);
    }
    return Array.from(ids.filter((id) => id !== gone));
  }
}

/** Id of a symbol that was merged into the one before. */
const gone = -1;
