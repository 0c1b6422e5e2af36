// Arithmetic of complex numbers, as far as answers need it.

export interface Complex {
  readonly re: number;
  readonly im: number;
}

export const real = (re: number): Complex => ({ re, im: 0 });
export const I: Complex = { re: 0, im: 1 };

/** Sums of terms that cancel to less than this share of them are zero: what is left is rounding. */
const ROUNDING = 1e-12;

const sum = (a: number, b: number): number => {
  const total = a + b;
  return Math.abs(total) <= ROUNDING * (Math.abs(a) + Math.abs(b)) ? 0 : total;
};
/** Drops a part that is nothing but rounding beside a number of size `scale`. */
const settled = (a: Complex, scale: number): Complex => ({
  re: Math.abs(a.re) <= ROUNDING * scale ? 0 : a.re,
  im: Math.abs(a.im) <= ROUNDING * scale ? 0 : a.im,
});

export const add = (a: Complex, b: Complex): Complex => ({ re: sum(a.re, b.re), im: sum(a.im, b.im) });
/** Keeps the imaginary part of a real number at +0: the logarithm of a negative one depends on its sign. */
export const negate = (a: Complex): Complex => ({ re: -a.re, im: 0 - a.im });
export const subtract = (a: Complex, b: Complex): Complex => add(a, { re: -b.re, im: 0 - b.im });
export const size = (a: Complex): number => (a.im === 0 ? Math.abs(a.re) : Math.hypot(a.re, a.im));
export const isNumber = (a: Complex): boolean => Number.isFinite(a.re) && Number.isFinite(a.im);

export function multiply(a: Complex, b: Complex): Complex {
  if (a.im === 0 && b.im === 0) return real(a.re * b.re);
  return { re: sum(a.re * b.re, -a.im * b.im), im: sum(a.re * b.im, a.im * b.re) };
}

export function divide(a: Complex, b: Complex): Complex {
  if (a.im === 0 && b.im === 0) return real(a.re / b.re);
  const norm = b.re * b.re + b.im * b.im;
  return { re: sum(a.re * b.re, a.im * b.im) / norm, im: sum(a.im * b.re, -a.re * b.im) / norm };
}

export function exp(a: Complex): Complex {
  const scale = Math.exp(a.re);
  return a.im === 0 ? real(scale) : settled({ re: scale * Math.cos(a.im), im: scale * Math.sin(a.im) }, scale);
}

export function log(a: Complex): Complex {
  return a.im === 0 && a.re > 0 ? real(Math.log(a.re)) : { re: Math.log(size(a)), im: Math.atan2(a.im, a.re) };
}

export function power(a: Complex, b: Complex): Complex {
  if (a.im === 0 && b.im === 0) {
    if (a.re >= 0 || Number.isInteger(b.re)) return real(a.re ** b.re);
    const odd = oddPower(a.re, b.re);
    if (odd !== null) return real(odd);
  }
  if (b.im === 0 && Number.isInteger(b.re) && Math.abs(b.re) <= 64) return wholePower(a, b.re);
  return exp(multiply(b, log(a)));
}

/** A negative number to a power in thirds or fifths, by the real root; null for any other power. */
function oddPower(base: number, exponent: number): number | null {
  const degree = [3, 5].find((d) => Math.abs(exponent * d - Math.round(exponent * d)) < 1e-9);
  if (degree === undefined) return null;
  const even = Math.round(exponent * degree) % 2 === 0;
  return (even ? 1 : -1) * (-base) ** exponent;
}

function wholePower(a: Complex, exponent: number): Complex {
  let result = real(1);
  for (let i = 0; i < Math.abs(exponent); i++) result = multiply(result, a);
  return exponent < 0 ? divide(real(1), result) : result;
}

/** The real root for a negative real number and an odd degree, as school mathematics has it; else the principal one. */
export function root(degree: Complex, a: Complex): Complex {
  const odd = degree.im === 0 && Math.abs(degree.re % 2) === 1;
  if (odd && a.im === 0 && a.re < 0) return real(-((-a.re) ** (1 / degree.re)));
  return power(a, divide(real(1), degree));
}

export function sin(a: Complex): Complex {
  if (a.im === 0) return settled(real(Math.sin(a.re)), Math.max(1, Math.abs(a.re)));
  const up = exp(multiply(I, a));
  return divide(subtract(up, divide(real(1), up)), { re: 0, im: 2 });
}

export function cos(a: Complex): Complex {
  if (a.im === 0) return settled(real(Math.cos(a.re)), Math.max(1, Math.abs(a.re)));
  const up = exp(multiply(I, a));
  return divide(add(up, divide(real(1), up)), real(2));
}
