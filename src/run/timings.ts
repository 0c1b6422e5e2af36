// Keeps the wall-clock seconds of each phase, over all processes that worked on it, in timings.json. They have a file of
// their own because every other file is the same, byte for byte, in two runs of the same settings.
import { readFile } from 'node:fs/promises';
import { writeDurable } from './durable.js';

export class Timings {
  readonly #path: string;
  readonly #clock: () => number;
  readonly #seconds: Map<string, number>;
  #current: { phase: string; from: number } | undefined;

  private constructor(path: string, seconds: Map<string, number>, clock: () => number) {
    this.#path = path;
    this.#seconds = seconds;
    this.#clock = clock;
  }

  static async open(path: string, clock: () => number = () => performance.now() / 1000): Promise<Timings> {
    return new Timings(path, new Map(Object.entries(await readTimings(path))), clock);
  }

  start(phase: string): void {
    this.#current = { phase, from: this.#clock() };
  }

  /** Adds the time since `start` or the last `save` to the phase and writes the file. */
  async save(): Promise<void> {
    if (!this.#current) return;
    const now = this.#clock();
    const { phase, from } = this.#current;
    this.#seconds.set(phase, (this.#seconds.get(phase) ?? 0) + now - from);
    this.#current = { phase, from: now };
    const rounded = Object.fromEntries(
      [...this.#seconds].map(([name, value]) => [name, Math.round(value * 1000) / 1000]),
    );
    await writeDurable(this.#path, `${JSON.stringify(rounded, null, 2)}\n`);
  }

  /** Seconds of all phases. */
  get total(): number {
    return Math.round([...this.#seconds.values()].reduce((sum, seconds) => sum + seconds, 0) * 1000) / 1000;
  }

  /** Seconds by phase. */
  get seconds(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#seconds);
  }
}

/** A file that is missing or damaged costs the times of earlier processes, never the run. */
export async function readTimings(path: string): Promise<Record<string, number>> {
  try {
    const value = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    return Object.fromEntries(Object.entries(value).filter(([, seconds]) => typeof seconds === 'number')) as Record<
      string,
      number
    >;
  } catch {
    return {};
  }
}
