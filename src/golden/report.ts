// Lines of a golden run: one per case and stage, with the largest error; and the comparisons that fill them.
// Leaves what is compared to the checks beside it.

export interface Line {
  readonly place: string;
  readonly stage: string;
  readonly ok: boolean;
  /** Largest difference, where numbers were compared. */
  readonly error?: number;
  readonly tolerance?: number;
  /** What differs first, or what was checked. */
  readonly note: string;
}

/** Collects lines and shows each at once. */
export class Report {
  readonly lines: Line[] = [];
  readonly #print: (line: string) => void;

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  /** Runs a check; one that throws is a failed line, so that the later ones still run. */
  async check(place: string, stage: string, compare: () => Outcome | Promise<Outcome>): Promise<void> {
    let outcome: Outcome;
    try {
      outcome = await compare();
    } catch (error) {
      outcome = { ok: false, note: (error as Error).message };
    }
    const line = { place, stage, ...outcome };
    this.lines.push(line);
    this.#print(format(line));
  }

  get failed(): Line | undefined {
    return this.lines.find(({ ok }) => !ok);
  }
}

export type Outcome = Omit<Line, 'place' | 'stage'>;

function format({ place, stage, ok, error, tolerance, note }: Line): string {
  const number =
    error === undefined ? '' : `largest error ${error === 0 ? 0 : error.toExponential(1)} (at most ${tolerance})`;
  return [ok ? 'ok  ' : 'FAIL', place.padEnd(28), stage.padEnd(22), number.padEnd(36), note].join(' ').trimEnd();
}

/** Numbers of one shape within an absolute tolerance; 0 asks for equality. */
export function compareNumbers(found: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): Outcome {
  if (found.length !== expected.length)
    return { ok: false, note: `${found.length} numbers, wanted ${expected.length}` };
  let worst = 0;
  let at = 0;
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs((found[i] as number) - (expected[i] as number));
    // NaN is an error of any size.
    if (error <= worst) continue;
    worst = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
    at = i;
  }
  const ok = worst <= tolerance;
  return { ok, error: worst, tolerance, note: ok ? '' : `number ${at}: ${found[at]}, wanted ${expected[at]}` };
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

/**
 * Norms by tensor name, each within `tolerance` of the expected one: relative, or, where `absolute` is given, absolute if that is
 * wider. Names on one side only are errors.
 */
export function compareNorms(
  found: ReadonlyMap<string, number>,
  expected: Readonly<Record<string, number>>,
  tolerance: number,
  absolute: boolean,
): Outcome {
  let worst = 0;
  let where = '';
  for (const name of new Set([...found.keys(), ...Object.keys(expected)])) {
    const value = found.get(name);
    const wanted = expected[name];
    if (value === undefined || wanted === undefined)
      return { ok: false, note: `${name}: ${value ?? 'nothing'}, wanted ${wanted ?? 'nothing'}` };
    const scale = absolute ? Math.max(1, wanted) : wanted;
    const error = Math.abs(value - wanted) / scale;
    if (error <= worst) continue;
    worst = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
    where = `${name}: ${value}, wanted ${wanted}`;
  }
  const ok = worst <= tolerance;
  return { ok, error: worst, tolerance, note: ok ? `${found.size} norms` : where };
}
