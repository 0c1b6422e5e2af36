// Numbers as a reader wants them: percent, points, counts, durations; the same text on every machine.

const NONE = '–';

/** A share of 0..1 in percent with one decimal. */
export function percent(share: number | null | undefined): string {
  return isNumber(share) ? `${(share * 100).toFixed(1)} %` : NONE;
}

/** A difference of two shares in percentage points, with its sign. */
export function points(difference: number | null | undefined): string {
  if (!isNumber(difference)) return NONE;
  const text = (difference * 100).toFixed(1);
  return /^-?0\.0$/.test(text) ? '0.0' : text.startsWith('-') ? `−${text.slice(1)}` : `+${text}`;
}

/** A number with its interval, `59.3 % (54.1 to 64.0)`; the number alone where the interval is not known. */
export function ranged(
  estimate: { readonly mean: number; readonly low: number | null; readonly high: number | null } | null | undefined,
  text: (value: number) => string = percent,
): string {
  if (!estimate) return NONE;
  const { mean, low, high } = estimate;
  if (low === null || high === null) return text(mean);
  const bare = (value: number): string => text(value).replace(' %', '');
  return `${text(mean)} (${bare(low)} to ${bare(high)})`;
}

/** An integer with thin groups of three digits: 12 345. */
export function count(value: number | null | undefined): string {
  return isNumber(value) ? String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, '\u202f') : NONE;
}

/** A number with this many decimals. */
export function decimal(value: number | null | undefined, digits: number): string {
  return isNumber(value)
    ? value
        .toFixed(digits)
        .replace(/^-(?=0(\.0*)?$)/, '')
        .replace('-', '−')
    : NONE;
}

/** A number of any size with three significant digits: 0.00012, 3.4e-7. */
export function significant(value: number | null | undefined): string {
  if (!isNumber(value)) return NONE;
  const text = Math.abs(value) >= 1e-4 || value === 0 ? String(Number(value.toPrecision(3))) : value.toExponential(1);
  return text.replace('-', text.startsWith('-') ? '−' : '-');
}

/** Seconds as `48 s`, `3 min 20 s` or `2 h 5 min`. */
export function duration(seconds: number | null | undefined): string {
  if (!isNumber(seconds)) return NONE;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `1 problem`, `2 problems`. */
export function plural(value: number, word: string): string {
  return `${count(value)} ${word}${value === 1 ? '' : 's'}`;
}

function isNumber(value: number | null | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
