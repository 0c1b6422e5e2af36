// Arithmetic of complex numbers, as far as answers need it.

/** Sums of terms that cancel to less than this share of them are zero: what is left is rounding. */
const ROUNDING = 1e-12;

export class Complex {
  readonly re: number;
  readonly im: number;

  constructor(re: number, im = 0) {
    this.re = re;
    this.im = im;
  }

  get size(): number {
    return this.im === 0 ? Math.abs(this.re) : Math.hypot(this.re, this.im);
  }

  get isFinite(): boolean {
    return Number.isFinite(this.re) && Number.isFinite(this.im);
  }

  plus(b: Complex): Complex {
    return new Complex(sum(this.re, b.re), sum(this.im, b.im));
  }

  minus(b: Complex): Complex {
    return this.plus(b.negated());
  }

  /** Keeps the imaginary part of a real number at +0: the logarithm of a negative one depends on its sign. */
  negated(): Complex {
    return new Complex(-this.re, 0 - this.im);
  }

  times(b: Complex): Complex {
    if (this.im === 0 && b.im === 0) return new Complex(this.re * b.re);
    return new Complex(sum(this.re * b.re, -this.im * b.im), sum(this.re * b.im, this.im * b.re));
  }

  over(b: Complex): Complex {
    if (this.im === 0 && b.im === 0) return new Complex(this.re / b.re);
    const norm = b.re * b.re + b.im * b.im;
    return new Complex(sum(this.re * b.re, this.im * b.im) / norm, sum(this.im * b.re, -this.re * b.im) / norm);
  }

  exp(): Complex {
    const scale = Math.exp(this.re);
    if (this.im === 0) return new Complex(scale);
    return new Complex(scale * Math.cos(this.im), scale * Math.sin(this.im)).#settled(scale);
  }

  log(): Complex {
    if (this.im === 0 && this.re > 0) return new Complex(Math.log(this.re));
    return new Complex(Math.log(this.size), Math.atan2(this.im, this.re));
  }

  /** A negative number to a power in thirds or fifths takes the real root. */
  power(b: Complex): Complex {
    if (this.im === 0 && b.im === 0) {
      if (this.re >= 0 || Number.isInteger(b.re)) return new Complex(this.re ** b.re);
      const degree = [3, 5].find((d) => Math.abs(b.re * d - Math.round(b.re * d)) < 1e-9);
      if (degree !== undefined) {
        const isEven = Math.round(b.re * degree) % 2 === 0;
        return new Complex((isEven ? 1 : -1) * (-this.re) ** b.re);
      }
    }
    if (b.im !== 0 || !Number.isInteger(b.re) || Math.abs(b.re) > 64) return b.times(this.log()).exp();
    let result = new Complex(1);
    for (let i = 0; i < Math.abs(b.re); i++) result = result.times(this);
    return b.re < 0 ? new Complex(1).over(result) : result;
  }

  /** The real root for a negative real number and an odd degree, as school mathematics has it; else the principal one. */
  root(degree: Complex): Complex {
    const isOdd = degree.im === 0 && Math.abs(degree.re % 2) === 1;
    if (isOdd && this.im === 0 && this.re < 0) return new Complex(-((-this.re) ** (1 / degree.re)));
    return this.power(new Complex(1).over(degree));
  }

  sin(): Complex {
    if (this.im === 0) return new Complex(Math.sin(this.re)).#settled(Math.max(1, Math.abs(this.re)));
    const up = new Complex(0, 1).times(this).exp();
    return up.minus(new Complex(1).over(up)).over(new Complex(0, 2));
  }

  cos(): Complex {
    if (this.im === 0) return new Complex(Math.cos(this.re)).#settled(Math.max(1, Math.abs(this.re)));
    const up = new Complex(0, 1).times(this).exp();
    return up.plus(new Complex(1).over(up)).over(new Complex(2));
  }

  /** Without a part that is nothing but rounding beside a number of size `scale`. */
  #settled(scale: number): Complex {
    const settle = (part: number) => (Math.abs(part) <= ROUNDING * scale ? 0 : part);
    return new Complex(settle(this.re), settle(this.im));
  }
}

function sum(a: number, b: number): number {
  const total = a + b;
  return Math.abs(total) <= ROUNDING * (Math.abs(a) + Math.abs(b)) ? 0 : total;
}
