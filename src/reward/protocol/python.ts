// How Python reads and writes the numbers that official scorers compare as text.

export const python = {
  /** `float(text)`; null where Python refuses. */
  float(text: string): number | null {
    const trimmed = text.trim();
    if (/^[+-]?(?:\d+(?:_\d+)*(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+)?$/.test(trimmed))
      return Number(trimmed.replaceAll('_', ''));
    const [, sign, word] = /^([+-]?)(inf|infinity|nan)$/i.exec(trimmed) ?? [];
    if (word === undefined) return null;
    if (word.toLowerCase() === 'nan') return Number.NaN;
    return sign === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  },

  /** `str(int(value))`; null for infinities and NaN. */
  int(value: number): string | null {
    return Number.isFinite(value) ? BigInt(Math.trunc(value)).toString() : null;
  },

  /** `str(value)` of a float: `7.0`, `1e-05`, `1e+16`. */
  text(value: number): string {
    if (Number.isNaN(value)) return 'nan';
    if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf';
    if (Object.is(value, -0)) return '-0.0';
    const size = Math.abs(value);
    if (size !== 0 && (size < 1e-4 || size >= 1e16)) {
      const [digits, power] = value.toExponential().split('e') as [string, string];
      return `${digits}e${power[0]}${power.slice(1).padStart(2, '0')}`;
    }
    return Number.isInteger(value) ? value.toFixed(1) : String(value);
  },

  /** `round(value, digits)`: to the nearest decimal of the exact binary value, exact halves to the even digit. */
  round(value: number, digits: number): number {
    if (!Number.isFinite(value) || Math.abs(value) >= 1e21 || digits < 0 || digits > 60) return value;
    const up = Number(value.toFixed(digits));
    const exact = Math.abs(value).toFixed(digits + 30);
    const isHalf = /^50*$/.test(exact.slice(-30));
    const kept = digits === 0 ? exact.slice(0, -31) : exact.slice(0, -30);
    const isEven = '02468'.includes(kept.at(-1) as string);
    return isHalf && isEven ? Number(`${value < 0 ? '-' : ''}${kept}`) : up;
  },
};
