// How far a whole job is and how long it will still take, from a plan of its work and the speeds seen so far.
import type { Display } from './terminal.js';

/** What the engine does in a piece of work; each has its own speed. */
export type WorkKind = 'sample' | 'score' | 'train';

/** A part of the job: `count` responses of about `length` of a full response each, sampled, scored or trained on. */
export interface PlannedWork {
  readonly phase: string;
  readonly kind: WorkKind;
  /** Tells parts of one phase and kind apart. */
  readonly part?: string;
  readonly count: number;
  /** Expected tokens of one, relative to a response sampled from its start (completions from a step end: about 0.5). */
  readonly length?: number;
}

/** Seconds per unit before any was seen, relative to sampling: a backward pass costs more than its share of decoding. */
const PRIOR: Readonly<Record<WorkKind, number>> = { sample: 1, score: 0.3, train: 1 };

/** Advances one part of the plan. */
export interface Meter {
  /** Sets how many units this part has in all, once that is known. */
  expect(count: number): void;
  /** Units done by this process since the last call; `tokens` are for show. */
  advance(count: number, tokens?: number): void;
  /** Units that were found done: they count, but say nothing about speed. */
  skip(count: number): void;
}

interface Part {
  readonly phase: string;
  readonly kind: WorkKind;
  readonly part: string;
  readonly length: number;
  count: number;
  done: number;
}

export class Progress {
  readonly #display: Display;
  readonly #clock: () => number;
  readonly #speeds = new Map<WorkKind, { seconds: number; units: number }>();
  #parts: Part[] = [];
  /** Share shown last: what is learned of the work to come may raise the estimate of it, but nothing done is undone. */
  #shown = 0;
  /** When the work at hand began: meters take turns, so all share it. */
  #from = 0;

  /** @param clock seconds that only grow */
  constructor(display: Display, clock: () => number = () => performance.now() / 1000) {
    this.#display = display;
    this.#clock = clock;
  }

  /** Sets the whole job. */
  plan(work: readonly PlannedWork[]): void {
    this.#parts = work.map(({ phase, kind, part = '', count, length = 1 }) => ({
      phase,
      kind,
      part,
      count,
      length,
      done: 0,
    }));
  }

  /** Marks all work of a phase as done. */
  finish(phase: string): void {
    for (const part of this.#parts) if (part.phase === phase) part.done = part.count;
  }

  /** A line that stays. */
  say(text: string): void {
    this.#display.say(text);
  }

  /** Starts work on one part of the plan; meters may take turns, but only one advances at a time. */
  meter(phase: string, kind: WorkKind, title: string, name = ''): Meter {
    const known = this.#parts.find((one) => one.phase === phase && one.kind === kind && one.part === name);
    const part = known ?? this.#add(phase, kind, name);
    this.#from = this.#clock();
    let shownTokens = 0;
    let shownSeconds = 0;
    const show = (): void => {
      const tokensPerSecond = shownSeconds > 0 && shownTokens > 0 ? shownTokens / shownSeconds : undefined;
      const { fraction, secondsLeft } = this.estimate();
      this.#shown = Math.max(this.#shown, fraction);
      const { done, count: total } = part;
      const note = this.#display.ranks?.note();
      this.#display.show({ title, done, total, fraction: this.#shown, secondsLeft, tokensPerSecond, note });
    };
    show();
    return {
      expect: (count) => {
        part.count = Math.max(count, part.done);
        show();
      },
      advance: (count, tokens = 0) => {
        const seconds = this.#lap();
        const speed = this.#speeds.get(kind) ?? { seconds: 0, units: 0 };
        // Older work weighs less: responses grow shorter or longer as the model learns.
        const keep = Math.max(0, 1 - count / 4096);
        this.#speeds.set(kind, {
          seconds: speed.seconds * keep + seconds,
          units: speed.units * keep + count * part.length,
        });
        shownTokens += tokens;
        shownSeconds += seconds;
        part.done = Math.min(part.count, part.done + count);
        show();
      },
      skip: (count) => {
        this.#lap();
        part.done = Math.min(part.count, part.done + count);
      },
    };
  }

  /** Share of the job done (0..1) and the seconds it will still take; undefined before any speed is known. */
  estimate(): { readonly fraction: number; readonly secondsLeft: number | undefined } {
    let done = 0;
    let left = 0;
    const scale = this.#scale();
    for (const part of this.#parts) {
      const each = part.length * this.#secondsEach(part.kind, scale);
      done += part.done * each;
      left += (part.count - part.done) * each;
    }
    const fraction = done + left > 0 ? done / (done + left) : 0;
    return { fraction, secondsLeft: this.#speeds.size > 0 ? left : undefined };
  }

  /** Seconds since the last lap, whichever meter took it. */
  #lap(): number {
    const now = this.#clock();
    const seconds = now - this.#from;
    this.#from = now;
    return seconds;
  }

  #add(phase: string, kind: WorkKind, name: string): Part {
    const part = { phase, kind, part: name, length: 1, count: 0, done: 0 };
    this.#parts.push(part);
    return part;
  }

  /** Seconds that one prior unit took, averaged over the kinds seen. */
  #scale(): number {
    let seconds = 0;
    let prior = 0;
    for (const [kind, speed] of this.#speeds) {
      seconds += speed.seconds;
      prior += speed.units * PRIOR[kind];
    }
    return prior > 0 ? seconds / prior : 1;
  }

  #secondsEach(kind: WorkKind, scale: number): number {
    const speed = this.#speeds.get(kind);
    return speed && speed.units > 0 ? speed.seconds / speed.units : PRIOR[kind] * scale;
  }
}
