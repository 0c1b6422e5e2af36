// Lines of a golden run: one per case and stage, with the largest error; and the comparisons that fill them.
import type { NormsInput, StageInput } from './inputs.js';
import type { Numbers } from './numbers.js';

type StageWanted = Pick<StageInput, 'wanted' | 'tolerance' | 'mistake'>;
type NormsRule = Omit<NormsInput, 'stage'>;
type Loose = NonNullable<NormsInput['loose']>;

export interface Line {
  readonly place: string;
  readonly stage: string;
  readonly ok: boolean;
  /** Largest difference, where numbers were compared. */
  readonly error?: number;
  readonly tolerance?: number;
  /** Largest wanted number, where numbers were compared. */
  readonly scale?: number;
  /** What differs first, or what was checked. */
  readonly note: string;
}

/** Collects lines and shows each at once. */
export class Report {
  readonly lines: Line[] = [];
  readonly #print: (line: string) => void;
  /** Whether the model computes in fewer digits than the reference. */
  readonly coarse: boolean;

  constructor(print: (line: string) => void, coarse = false) {
    this.#print = print;
    this.coarse = coarse;
  }

  /** Runs a check; one that throws is a failed line, so that the later ones still run. */
  async check(place: string, stage: string, compare: () => Outcome | Promise<Outcome>): Promise<void> {
    let outcome: Outcome;
    try {
      outcome = this.coarse ? roughly(await compare()) : await compare();
    } catch (error) {
      outcome = { ok: false, note: (error as Error).message };
    }
    const line = { place, stage, ...outcome };
    this.lines.push(line);
    this.#print(format(line));
  }

  /** Runs checks; when they end early the reason is a failed line. */
  async attempt(place: string, checks: () => Promise<void>): Promise<void> {
    try {
      await checks();
    } catch (error) {
      await this.check(place, 'run', () => Promise.reject(error));
    }
  }

  get failed(): Line | undefined {
    return this.lines.find(({ ok }) => !ok);
  }
}

export type Outcome = Omit<Line, 'place' | 'stage'>;

/** Part of the largest number of a stage that others may be off by in bfloat16. */
const ROUGH = 1 / 16;

function roughly(outcome: Outcome): Outcome {
  const { error, scale } = outcome;
  if (outcome.ok || error === undefined || scale === undefined) return outcome;
  const tolerance = ROUGH * scale;
  return { ...outcome, tolerance, ok: error <= tolerance };
}

function format({ place, stage, ok, error, tolerance, note }: Line): string {
  const number =
    error === undefined
      ? ''
      : `largest error ${error === 0 ? 0 : error.toExponential(1)} (at most ${Number(tolerance?.toPrecision(2))})`;
  return [ok ? 'ok  ' : 'FAIL', place.padEnd(28), stage.padEnd(28), number.padEnd(36), note].join(' ').trimEnd();
}

/** Numbers of one shape within an absolute tolerance; 0 asks for equality. */
export function compareNumbers(found: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): Outcome {
  if (found.length !== expected.length)
    return { ok: false, note: `${found.length} numbers, wanted ${expected.length}` };
  let worst = 0;
  let at = 0;
  let scale = 0;
  for (let i = 0; i < expected.length; i++) {
    scale = Math.max(scale, Math.abs(expected[i] as number));
    const error = Math.abs((found[i] as number) - (expected[i] as number));
    // NaN is an error of any size.
    if (error <= worst) continue;
    worst = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
    at = i;
  }
  const ok = worst <= tolerance;
  return { ok, error: worst, tolerance, scale, note: ok ? '' : `number ${at}: ${found[at]}, wanted ${expected[at]}` };
}

/** Equal sequences of integers or equal texts, by their first difference. */
export function compareExact(found: ArrayLike<number | string>, expected: ArrayLike<number | string>): Outcome {
  for (let i = 0; i < Math.max(found.length, expected.length); i++) {
    if (found[i] !== expected[i]) {
      return {
        ok: false,
        note: `place ${i}: ${JSON.stringify(found[i]) ?? 'nothing'}, wanted ${JSON.stringify(expected[i]) ?? 'nothing'}`,
      };
    }
  }
  return { ok: true, note: `${expected.length} equal` };
}

/** A tensor of the engine with the wanted one: shape, then numbers. */
export function compareStage(found: Numbers | undefined, { wanted, tolerance, mistake }: StageWanted): Outcome {
  if (!found) return { ok: false, note: 'the engine does not give it' };
  if (found.shape.join() !== wanted.shape.join())
    return { ok: false, note: `shape [${found.shape}], wanted [${wanted.shape}]` };
  const outcome = compareNumbers(found.data, wanted.data, tolerance);
  if (outcome.ok || !mistake || !compareNumbers(found.data, mistake.gives.data, tolerance).ok) return outcome;
  return { ...outcome, note: `${outcome.note}; ${mistake.note}` };
}

/** L2 norms by tensor name. Names on one side only are errors. */
export function compareNorms(found: ReadonlyMap<string, number>, rule: NormsRule): Outcome {
  const noisy = new Set(rule.noisy);
  const loose = new Set(rule.loose?.names);
  // Relative to the tolerance of its tensor, so that the worst of them is the one nearest to failing.
  let worst = 0;
  let where = '';
  let count = 0;
  for (const name of new Set([...found.keys(), ...Object.keys(rule.wanted)])) {
    if (noisy.has(name)) continue;
    const value = found.get(name);
    const wanted = rule.wanted[name];
    if (value === undefined || wanted === undefined)
      return { ok: false, note: `${name}: ${value ?? 'nothing'}, wanted ${wanted ?? 'nothing'}` };
    count++;
    const tolerance = loose.has(name) ? (rule.loose as Loose).tolerance : rule.tolerance;
    const error = (normError(value, wanted, rule) / tolerance) * rule.tolerance;
    if (error <= worst) continue;
    worst = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
    where = `${name}: ${value}, wanted ${wanted}`;
  }
  const ok = worst <= rule.tolerance;
  return { ok, error: worst, tolerance: rule.tolerance, scale: 1, note: ok ? `${count} norms` : where };
}

function normError(found: number, wanted: number, { floor = 0, noiseBelow = 0 }: NormsRule): number {
  if (wanted < noiseBelow) return found < 10 * noiseBelow ? 0 : Number.POSITIVE_INFINITY;
  const difference = Math.abs(found - wanted);
  return difference === 0 ? 0 : difference / Math.max(floor, wanted);
}
