import { describe, expect, it } from 'vitest';
import { Canvas } from '../../../src/problems/canvas.js';
import { Draws, families, pictureSide } from '../../../src/problems/families.js';
import { defaultKnobs, generateProblem } from '../../../src/problems/problem.js';

const all = Object.keys(families).flatMap((family) =>
  Array.from({ length: 200 }, (_, index) => generateProblem(family, 5, index, { range: 9, choiceShare: 0.5 })),
);
const reading = /^([a-z]+) (?:is|shows) (\d+)\.$/;

/** Follows the recorded steps with nothing but the scene: readings must agree with it, calculations and relations must hold. */
function follow(steps: readonly string[], scene: Readonly<Record<string, number | string>>): void {
  const results: Record<string, (a: number, b: number) => number> = {
    '+': (a, b) => a + b,
    '-': (a, b) => a - b,
    '%': (a, b) => a % b,
  };
  for (const step of steps) {
    const read = reading.exec(step);
    if (read) expect(scene[read[1] as string]).toBe(Number(read[2]));
    const calculation = /^(\d+) ([-+%]) (\d+) = (\d+)\.$/.exec(step);
    if (calculation) {
      const [, a, sign, b, result] = calculation as unknown as [string, string, string, string, string];
      expect(results[sign]?.(Number(a), Number(b))).toBe(Number(result));
    }
    const relation = /^(\d+) ([>=]) (\d+)\.$/.exec(step);
    if (relation) expect(Number(relation[1]) - Number(relation[3])).toBe(relation[2] === '>' ? 1 : 0);
    const parity = /^(\d+) is (even|odd)\.$/.exec(step);
    if (parity) expect(Number(parity[1]) % 2).toBe(parity[2] === 'odd' ? 1 : 0);
    const known = read ?? calculation ?? relation ?? parity;
    expect(known ?? /^\S+ is the largest\.$|^The answer is \S+\.$/.exec(step)).not.toBeNull();
  }
}

/** Share of the problems for which something holds. */
const share = (of: (problem: (typeof all)[number]) => boolean): number => all.filter(of).length / all.length;
const readings = ({ truth }: (typeof all)[number]): string[] =>
  truth.steps.flatMap((step) => reading.exec(step)?.[1] ?? []);

describe('picture problems', () => {
  it('are the same for the same family, seed and index, and differ otherwise', () => {
    const one = generateProblem('bars', 7, 3);
    expect(generateProblem('bars', 7, 3)).toEqual(one);
    expect(generateProblem('bars', 8, 3).rgb).not.toEqual(one.rgb);
    expect(generateProblem('bars', 7, 4).rgb).not.toEqual(one.rgb);
  });

  it('record reasoning that follows from the scene and ends with the answer', () => {
    for (const { truth, answer, choices } of all) {
      follow(truth.steps, truth.scene);
      const stated = choices[answer.charCodeAt(0) - 65] ?? answer;
      expect(truth.steps.at(-1)).toBe(`The answer is ${stated}.`);
    }
  });

  it('need three to eight steps before the answer is stated', () => {
    const reasoning = all.map(({ truth }) => truth.steps.length - 1);
    expect([Math.min(...reasoning), Math.max(...reasoning)]).toEqual([3, 8]);
  });

  it('have few possible answers in most questions, where chains can be right by luck', () => {
    const ofTwoOrThree = /even or odd\?|more than \d+\?|divided by 3\?/;
    expect(share(({ question }) => ofTwoOrThree.test(question))).toBeCloseTo(7 / 11, 1);
    expect(share(({ question }) => question.includes('the largest of'))).toBeCloseTo(1 / 11, 1);
  });

  it('compare with the sum or one below it, so that a misread value turns the answer as often as not', () => {
    const relations = all.flatMap(({ truth }) =>
      truth.steps.flatMap((step) => /^\d+ ([>=]) \d+\.$/.exec(step)?.[1] ?? []),
    );
    expect(Math.abs(relations.filter((one) => one === '>').length / relations.length - 0.5)).toBeLessThan(0.1);
  });

  it('are read in a free order, in two phrasings, at times with a quantity that is not asked about', () => {
    const asked = (problem: (typeof all)[number]): string[] =>
      Object.keys(problem.truth.scene).filter((name) => problem.question.split('\nChoices')[0]?.includes(name));
    const isInOrder = (problem: (typeof all)[number]): boolean => {
      const places = readings(problem).map((name) => problem.question.indexOf(name));
      return places.every((place, i) => i === 0 || place > (places[i - 1] as number));
    };
    for (const problem of all) for (const name of asked(problem)) expect(readings(problem)).toContain(name);
    expect(share(isInOrder)).toBeLessThan(0.5);
    expect(share(({ truth }) => truth.steps[0]?.includes(' shows ') ?? false)).toBeCloseTo(0.5, 1);
    const irrelevant = share((problem) => readings(problem).length > asked(problem).length);
    expect(irrelevant).toBeGreaterThan(0.04);
    expect(irrelevant).toBeLessThan(0.15);
  });

  it('offer the right choice once, under the letter that is the answer', () => {
    const multipleChoice = all.filter(({ choices }) => choices.length > 0);
    expect(multipleChoice.length).toBeGreaterThan(all.length / 3);
    for (const { choices, answer, question, truth } of multipleChoice) {
      expect(new Set(choices).size).toBe(choices.length);
      const right = choices[answer.charCodeAt(0) - 65];
      expect(truth.steps.at(-1)).toBe(`The answer is ${right}.`);
      expect(question).toContain(`\n(${answer}) ${right}`);
    }
  });

  it('draw values from 1 to the range only', () => {
    for (let index = 0; index < 200; index++) {
      const { scene } = generateProblem('dots', 1, index, { ...defaultKnobs, range: 4 }).truth;
      for (const value of Object.values(scene)) expect([1, 2, 3, 4]).toContain(value);
    }
  });

  it('refuse an unknown family by name', () => {
    expect(() => generateProblem('pies', 1, 0)).toThrow('pies, wanted some of bars, dots, shapes, dials');
  });
});

/** Pixels of a colour. */
function count(rgb: Uint8Array, [red, green, blue]: readonly [number, number, number]): number {
  let pixels = 0;
  for (let i = 0; i < rgb.length; i += 3) if (rgb[i] === red && rgb[i + 1] === green && rgb[i + 2] === blue) pixels++;
  return pixels;
}

describe('pictures', () => {
  it('show as many pixels of a colour as the bar is high', () => {
    for (let index = 0; index < 50; index++) {
      const { rgb, truth } = generateProblem('bars', 2, index);
      expect(count(rgb, [220, 40, 40])).toBe(Number(truth.scene.red ?? 0) * 4 * 8);
    }
  });

  it('show every dot whole and apart from the others', () => {
    const red = [220, 40, 40] as const;
    const one = families.dots?.draw([{ name: 'red', value: 1 }], new Draws(2, 'one')) as Canvas;
    for (let index = 0; index < 50; index++) {
      const { rgb, truth } = generateProblem('dots', 2, index);
      expect(count(rgb, red) / count(one.rgb, red)).toBe(truth.scene.red ?? 0);
    }
  });

  it.each([
    ['bars', pictureSide - 4],
    ['dots', 0],
  ])('of %s show each value as a digit too', (family, baseLine) => {
    const black = [0, 0, 0] as const;
    for (let value = 1; value <= 9; value++) {
      const digit = new Canvas(8, 8, [255, 255, 255]);
      digit.digit(0, 0, 1, value, black);
      const picture = families[family]?.draw([{ name: 'blue', value }], new Draws(1, family)) as Canvas;
      expect(count(picture.rgb, black) - baseLine).toBe(count(digit.rgb, black));
    }
  });
});
