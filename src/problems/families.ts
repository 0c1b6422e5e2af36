// The families of picture problems: what quantities a picture shows and how they are drawn, each value twice: as a digit, and as
// a length, a count or an angle. To add a family, add one entry to `families`.

import { type Random, random } from '../core/random.js';
import { Canvas, type Colour } from './canvas.js';

/** One named quantity of a picture. */
export interface Quantity {
  readonly name: string;
  readonly value: number;
}

export interface Family {
  /** Tells the reader of the picture what its numbers are. */
  readonly introduction: string;
  /** Names that quantities can have. */
  readonly names: readonly string[];
  /** Largest value that can be drawn. */
  readonly limit: number;
  draw(quantities: readonly Quantity[], draws: Draws): Canvas;
}

/** Side of every picture in pixels. */
export const pictureSide = 56;

const white: Colour = [255, 255, 255];
const grey: Colour = [200, 200, 200];
const black: Colour = [0, 0, 0];
const colours: Readonly<Record<string, Colour>> = {
  red: [220, 40, 40],
  green: [30, 160, 60],
  blue: [40, 70, 220],
  orange: [245, 160, 20],
};
const colourNames = Object.keys(colours);
const shapeNames = ['circle', 'square', 'diamond', 'ring'];

function colourOf(name: string): Colour {
  return colours[name] as Colour;
}

/** Top left corner of the quarter of the picture that belongs to the name at `place` (0 to 3), a pixel off at most in each direction. */
function quarter(place: number, draws: Draws): [left: number, top: number] {
  const half = pictureSide / 2;
  const jitter = (): number => draws.below(3) - 1;
  return [(place % 2) * half + jitter(), Math.floor(place / 2) * half + jitter()];
}

/** Bars over a base line, each colour in its own column, with grid lines for every unit; below each its value as a digit. */
function drawBars(quantities: readonly Quantity[], draws: Draws): Canvas {
  const canvas = new Canvas(pictureSide, pictureSide, white);
  const base = pictureSide - 10;
  const unit = 4;
  for (let line = 1; line <= 9; line++) canvas.rect(2, base - line * unit, pictureSide - 4, 1, grey);
  for (const { name, value } of quantities) {
    const left = 2 + colourNames.indexOf(name) * 14 + draws.below(3);
    canvas.rect(left, base - value * unit, 8, value * unit, colourOf(name));
    canvas.digit(left + 1, base + 2, 1, value, black);
  }
  canvas.rect(2, base, pictureSide - 4, 1, black);
  return canvas;
}

/** Dots scattered over 4 x 4 places of their colour's quarter, and their number as a digit in another place. */
function drawDots(quantities: readonly Quantity[], draws: Draws): Canvas {
  const canvas = new Canvas(pictureSide, pictureSide, white);
  const places = Array.from({ length: 16 }, (_, i) => i);
  for (const { name, value } of quantities) {
    const corner = colourNames.indexOf(name);
    const [left, top] = [(corner % 2) * 28, Math.floor(corner / 2) * 28];
    for (const [i, place] of draws.pick(places, value + 1).entries()) {
      const [x, y] = [left + (place % 4) * 7, top + Math.floor(place / 4) * 7];
      if (i === value) canvas.digit(x + 1, y, 1, value, black);
      else canvas.disc(x + 3.5, y + 3.5, 3.2, colourOf(name));
    }
  }
  return canvas;
}

/** Shapes with a digit inside each, in any colour, over a bar as long as the value; each shape has its own quarter. */
function drawShapes(quantities: readonly Quantity[], draws: Draws): Canvas {
  const canvas = new Canvas(pictureSide, pictureSide, white);
  const fills = draws.pick(colourNames, quantities.length);
  quantities.forEach(({ name, value }, i) => {
    const [left, top] = quarter(shapeNames.indexOf(name), draws);
    const [x, y] = [left + 14, top + 13];
    const fill = colourOf(fills[i] as string);
    if (name === 'diamond') canvas.diamond(x, y, 12, fill);
    else if (name === 'square') canvas.rect(x - 10, y - 10, 20, 20, fill);
    else canvas.disc(x, y, 11, fill);
    if (name === 'ring') canvas.disc(x, y, 9, white);
    canvas.digit(x - 5, y - 7, 2, value, name === 'ring' ? black : white);
    canvas.rect(left + 4, top + 25, value * 2, 2, black);
  });
  return canvas;
}

/** Dials of ten marks, zero straight up; the angle of the hand gives the value, and so does the digit beside the dial. */
function drawDials(quantities: readonly Quantity[], draws: Draws): Canvas {
  const canvas = new Canvas(pictureSide, pictureSide, white);
  for (const { name, value } of quantities) {
    const [left, top] = quarter(colourNames.indexOf(name), draws);
    const [x, y] = [left + 12, top + 12];
    canvas.disc(x, y, 11, colourOf(name));
    canvas.disc(x, y, 9, white);
    canvas.disc(x, y, 2, black);
    canvas.ray(x, y, 9, 2.4, value * 36, black);
    canvas.digit(left + 21, top + 20, 1, value, black);
  }
  return canvas;
}

export const families: Readonly<Record<string, Family>> = {
  bars: { introduction: 'Read the bars.', names: colourNames, limit: 9, draw: drawBars },
  dots: { introduction: 'Count the dots.', names: colourNames, limit: 9, draw: drawDots },
  shapes: {
    introduction: 'Read the shapes.',
    names: shapeNames,
    limit: 9,
    draw: drawShapes,
  },
  dials: { introduction: 'Read the dials.', names: colourNames, limit: 9, draw: drawDials },
};

export class Draws {
  private readonly stream: Random;
  private drawn = 0;

  constructor(seed: number, purpose: string) {
    this.stream = random(seed, purpose);
  }

  /** Uniform integer in [0, n). */
  below(n: number): number {
    return this.stream.below(this.drawn++, n);
  }

  /** Uniform number in [0, 1). */
  uniform(): number {
    return this.stream.uniform(this.drawn++);
  }

  /** `count` different items in random order. */
  pick<T>(items: readonly T[], count: number): T[] {
    const rest = [...items];
    return Array.from({ length: count }, () => rest.splice(this.below(rest.length), 1)[0] as T);
  }
}
