// Byte-pair encoding: the best pair of neighbours is merged until none is left; of equally good ones the leftmost is first.

/** Which neighbours merge, and into what. */
export interface Merges<T> {
  /** Lower comes first; undefined where the two do not merge. */
  rank(left: T, right: T): number | undefined;
  /** What the two become where they merge. */
  join(left: T, right: T): T | undefined;
}

/** A merge that is still to be tried. `left`: index of its left symbol. */
interface Candidate<T> {
  readonly left: number;
  readonly rank: number;
  readonly result: T;
}

/**
 * What `symbols` become, in O(n log n).
 * @param found is told of each pair that may merge, when the two become neighbours
 */
export function mergePairs<T>(
  symbols: readonly T[],
  merges: Merges<T>,
  found: (left: T, right: T, result: T) => void = () => {},
): T[] {
  const current: (T | undefined)[] = [...symbols];
  const previous = Int32Array.from(symbols, (_, at) => at - 1);
  const next = Int32Array.from(symbols, (_, at) => at + 1);
  const agenda = new Agenda<T>();
  const consider = (at: number): void => {
    const [left, right] = [current[at], current[next[at] as number]];
    if (left === undefined || right === undefined) return;
    const rank = merges.rank(left, right);
    if (rank === undefined) return;
    const result = merges.join(left, right) as T;
    agenda.push({ left: at, rank, result });
    found(left, right, result);
  };

  for (let at = 0; at + 1 < symbols.length; at++) consider(at);
  for (let merge = agenda.pop(); merge; merge = agenda.pop()) {
    const at = merge.left;
    const other = next[at] as number;
    const [left, right] = [current[at], current[other]];
    // Stale, unless the neighbours of today make the same piece, as in the reference.
    if (left === undefined || right === undefined || merges.join(left, right) !== merge.result) continue;
    const after = next[other] as number;
    current[at] = merge.result;
    current[other] = undefined;
    next[at] = after;
    if (after < symbols.length) previous[after] = at;
    consider(previous[at] as number);
    consider(at);
  }
  return current.filter((symbol): symbol is T => symbol !== undefined);
}

/** Binary heap, the best merge first. */
class Agenda<T> {
  readonly #heap: Candidate<T>[] = [];

  push(merge: Candidate<T>): void {
    const heap = this.#heap;
    let at = heap.push(merge) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(merge, heap[parent])) break;
      heap[at] = heap[parent] as Candidate<T>;
      at = parent;
    }
    heap[at] = merge;
  }

  pop(): Candidate<T> | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (heap.length === 0 || !last) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child + 1 < heap.length && this.#before(heap[child + 1], heap[child])) child++;
      if (!this.#before(heap[child], last)) break;
      heap[at] = heap[child] as Candidate<T>;
      at = child;
    }
    heap[at] = last;
    return top;
  }

  #before(a: Candidate<T> | undefined, b: Candidate<T> | undefined): boolean {
    if (!a || !b) return false;
    return a.rank < b.rank || (a.rank === b.rank && a.left < b.left);
  }
}

/** Ids are below this, so that a pair of them is one exact number. */
export const ID_LIMIT = 2 ** 24;

/** Which neighbours merge, by id: earlier ranks first. */
export class MergeList implements Merges<number> {
  readonly #ranks = new Map<number, number>();
  readonly #results: number[] = [];

  /** Of a pair given twice the later rank counts. */
  add(left: number, right: number, result: number): void {
    this.#ranks.set(left * ID_LIMIT + right, this.#results.length);
    this.#results.push(result);
  }

  rank(left: number, right: number): number | undefined {
    return this.#ranks.get(left * ID_LIMIT + right);
  }

  join(left: number, right: number): number | undefined {
    return this.#results[this.#ranks.get(left * ID_LIMIT + right) ?? -1];
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

/** Words of more characters than this are not kept, and no more words than this. */
const CACHED = { length: 64, words: 65_536 };

export class PairEncoder implements Merges<number> {
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
      if (this.#cache.size === CACHED.words) this.#cache.clear();
      if (word.length <= CACHED.length) this.#cache.set(word, found);
    }
    for (const id of found) ids.push(id);
  }

  rank(left: number, right: number): number | undefined {
    const { merges } = this.#model;
    const rank = merges.rank(left, right);
    return rank === undefined || this.#blocked.has(merges.join(left, right) as number) ? undefined : rank;
  }

  join(left: number, right: number): number | undefined {
    return this.#model.merges.join(left, right);
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
    return mergePairs(symbols, this);
  }
}
