// A small RGB picture and the few shapes that problems are drawn with; no antialiasing, so the same calls give the same
// bytes.

export type Colour = readonly [number, number, number];

/** 5 x 7 digits, one string of 35 cells each, row by row. */
const glyphs = [
  '.###.#...##..###.#.###..##...#.###.',
  '..#...##....#....#....#....#...###.',
  '.###.#...#....#...#...#...#...#####',
  '####.....#....#.###.....#....#####.',
  '...#...##..#.#.#..#.#####...#....#.',
  '######....####.....#....##...#.###.',
  '.###.#....#....####.#...##...#.###.',
  '#####....#...#...#...#....#....#...',
  '.###.#...##...#.###.#...##...#.###.',
  '.###.#...##...#.####....#....#.###.',
] as const;

export class Canvas {
  readonly width: number;
  readonly height: number;
  /** 8-bit RGB, row by row. */
  readonly rgb: Uint8Array;

  constructor(width: number, height: number, background: Colour) {
    this.width = width;
    this.height = height;
    this.rgb = new Uint8Array(width * height * 3);
    this.rect(0, 0, width, height, background);
  }

  /** Fills the pixels whose centre passes `inside`, given relative to (x, y), within a box of half-size `reach`. */
  private fill(x: number, y: number, reach: number, inside: (dx: number, dy: number) => boolean, colour: Colour): void {
    for (let py = Math.max(0, Math.floor(y - reach)); py < Math.min(this.height, Math.ceil(y + reach)); py++) {
      for (let px = Math.max(0, Math.floor(x - reach)); px < Math.min(this.width, Math.ceil(x + reach)); px++) {
        if (inside(px + 0.5 - x, py + 0.5 - y)) this.rgb.set(colour, (py * this.width + px) * 3);
      }
    }
  }

  /** Fills `width` x `height` whole pixels from (left, top); parts outside the picture are cut off. */
  rect(left: number, top: number, width: number, height: number, colour: Colour): void {
    for (let y = Math.max(0, top); y < Math.min(this.height, top + height); y++) {
      for (let x = Math.max(0, left); x < Math.min(this.width, left + width); x++) {
        this.rgb.set(colour, (y * this.width + x) * 3);
      }
    }
  }

  disc(x: number, y: number, radius: number, colour: Colour): void {
    this.fill(x, y, radius, (dx, dy) => dx * dx + dy * dy <= radius * radius, colour);
  }

  diamond(x: number, y: number, radius: number, colour: Colour): void {
    this.fill(x, y, radius, (dx, dy) => Math.abs(dx) + Math.abs(dy) <= radius, colour);
  }

  /** A thick line from (x, y) of the given length; `angle` in degrees, clockwise from straight up. */
  ray(x: number, y: number, length: number, thickness: number, angle: number, colour: Colour): void {
    const ux = Math.sin((angle * Math.PI) / 180);
    const uy = -Math.cos((angle * Math.PI) / 180);
    // The small allowance keeps pixels that lie exactly on the border from depending on the last bit of sin and cos.
    const inside = (dx: number, dy: number): boolean => {
      const along = dx * ux + dy * uy;
      return along >= -1e-6 && along <= length + 1e-6 && Math.abs(dx * uy - dy * ux) <= thickness / 2 + 1e-6;
    };
    this.fill(x, y, length + thickness, inside, colour);
  }

  /** One digit, 5 x 7 cells of `scale` pixels, from (left, top). */
  digit(left: number, top: number, scale: number, value: number, colour: Colour): void {
    const cells = glyphs[value];
    if (cells === undefined) throw new RangeError(`a digit is 0 to 9, not ${value}`);
    for (let cell = 0; cell < cells.length; cell++) {
      if (cells[cell] !== '#') continue;
      this.rect(left + (cell % 5) * scale, top + Math.floor(cell / 5) * scale, scale, scale, colour);
    }
  }
}
