// A map of promised values bounded by the sum of their sizes; the least recently used go first.

/** Asking twice for a key while its value is made waits for the same promise; a failed one is forgotten. */
export class BoundedCache<T> {
  readonly #entries = new Map<string, { readonly value: Promise<T>; size: number }>();
  readonly #maxSize: number;
  readonly #sizeOf: (value: T) => number;
  #size = 0;

  /** `sizeOf` in the unit of `maxSize`, above 0. A value larger than the whole cache is returned and not kept. */
  constructor(maxSize: number, sizeOf: (value: T) => number) {
    this.#maxSize = maxSize;
    this.#sizeOf = sizeOf;
  }

  get size(): number {
    return this.#size;
  }

  get(key: string, make: () => Promise<T>): Promise<T> {
    const known = this.#entries.get(key);
    if (known) {
      this.#entries.delete(key);
      this.#entries.set(key, known);
      return known.value;
    }
    const value = make();
    const entry = { value, size: 0 };
    this.#entries.set(key, entry);
    value.then(
      (made) => this.#keep(key, entry, this.#sizeOf(made)),
      () => this.#entries.delete(key),
    );
    return value;
  }

  #keep(key: string, entry: { size: number }, size: number): void {
    if (size > this.#maxSize) {
      this.#entries.delete(key);
      return;
    }
    entry.size = size;
    this.#size += size;
    for (const [oldest, { size }] of this.#entries) {
      if (this.#size <= this.#maxSize) break;
      // Size 0: still being made.
      if (size === 0) continue;
      this.#entries.delete(oldest);
      this.#size -= size;
    }
  }
}
