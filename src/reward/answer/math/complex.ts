// Arithmetic of complex numbers, as far as answers need it. Leaves trees to evaluate.ts.

export interface Complex {
  readonly re: number;
  readonly im: number;
}

export const real = (re: number): Complex => ({ re, im: 0 });
export const I: Complex = { re: 0, im: 1 };

export const add = (a: Complex, b: Complex): Complex => ({ re: a.re + b.re, im: a.im + b.im });
/** Keeps the imaginary part of a real number at +0: the logarithm of a negative one depends on its sign. */
export const negate = (a: Complex): Complex => ({ re: -a.re, im: 0 - a.im });
export const subtract = (a: Complex, b: Complex): Complex => ({ re: a.re - b.re, im: a.im - b.im });
export const size = (a: Complex): number => (a.im === 0 ? Math.abs(a.re) : Math.hypot(a.re, a.im));
export const isNumber = (a: Complex): boolean => Number.isFinite(a.re) && Number.isFinite(a.im);

export function multiply(a: Complex, b: Complex): Complex {
  if (a.im === 0 && b.im === 0) return real(a.re * b.re);
  return { re: a.re * b.re - a.im * b.im, im: a.re * b.im + a.im * b.re };
}

export function divide(a: Complex, b: Complex): Complex {
  if (a.im === 0 && b.im === 0) return real(a.re / b.re);
  const norm = b.re * b.re + b.im * b.im;
  return { re: (a.re * b.re + a.im * b.im) / norm, im: (a.im * b.re - a.re * b.im) / norm };
}

export function exp(a: Complex): Complex {
  const scale = Math.exp(a.re);
  return a.im === 0 ? real(scale) : { re: scale * Math.cos(a.im), im: scale * Math.sin(a.im) };
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
  if (a.im === 0) return real(Math.sin(a.re));
  const up = exp(multiply(I, a));
  return divide(subtract(up, divide(real(1), up)), { re: 0, im: 2 });
}

export function cos(a: Complex): Complex {
  if (a.im === 0) return real(Math.cos(a.re));
  const up = exp(multiply(I, a));
  return divide(add(up, divide(real(1), up)), real(2));
}
