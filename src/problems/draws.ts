// A stream of random draws that is a function of its name alone, so problem number 7 is the same however many are made.
// Leaves what is drawn to the callers.

/** Mixes 32 bits (the finaliser of MurmurHash3). */
function mix(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

export class Draws {
  private readonly stream: number;
  private position = 0;

  constructor(seed: number, name: string) {
    let hash = mix(seed ^ 0x9e3779b9);
    for (let i = 0; i < name.length; i++) hash = mix(Math.imul(hash, 31) + name.charCodeAt(i));
    this.stream = hash;
  }

  /** Uniform integer in [0, count). */
  int(count: number): number {
    const draw = mix(this.stream + Math.imul(++this.position, 0x9e3779b9));
    return Math.floor((mix(draw ^ this.stream) / 2 ** 32) * count);
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    return this.int(2 ** 32) / 2 ** 32;
  }

  /** `count` different items, in random order. */
  pick<T>(items: readonly T[], count: number): T[] {
    const rest = [...items];
    return Array.from({ length: count }, () => rest.splice(this.int(rest.length), 1)[0] as T);
  }
}
