import { describe, expect, it } from 'vitest';
import type { Canvas } from '../../../src/problems/canvas.js';
import { Draws, families } from '../../../src/problems/families.js';
import { defaultKnobs, generateProblem } from '../../../src/problems/problem.js';

const all = Object.keys(families).flatMap((family) =>
  Array.from({ length: 200 }, (_, index) => generateProblem(family, 5, index, { range: 9, choiceShare: 0.5 })),
);

/** Follows the recorded steps with nothing but the scene: readings must agree with it, sums and differences must hold. */
function follow(steps: readonly string[], scene: Readonly<Record<string, number | string>>): void {
  for (const step of steps) {
    const reading = /^([a-z]+) is (\d+)\.$/.exec(step);
    if (reading) expect(scene[reading[1] as string]).toBe(Number(reading[2]));
    const sum = /^(\d+) ([+-]) (\d+) = (\d+)\.$/.exec(step);
    if (sum) expect(Number(sum[1]) + (sum[2] === '+' ? 1 : -1) * Number(sum[3])).toBe(Number(sum[4]));
    expect(
      reading ?? sum ?? /^\S+ is the largest\.$|^\([A-D]\) is \S+\.$|^The answer is \S+\.$/.exec(step),
    ).not.toBeNull();
  }
}

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

  it('need two to five steps before the answer is stated', () => {
    for (const { truth } of all) {
      const reasoning = truth.steps.length - 1;
      expect(reasoning).toBeGreaterThanOrEqual(2);
      expect(reasoning).toBeLessThanOrEqual(5);
    }
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

describe('pictures', () => {
  it('show as many pixels of a colour as the bar is high', () => {
    for (let index = 0; index < 50; index++) {
      const { rgb, truth } = generateProblem('bars', 2, index);
      let red = 0;
      for (let i = 0; i < rgb.length; i += 3) if (rgb[i] === 220 && rgb[i + 1] === 40 && rgb[i + 2] === 40) red++;
      expect(red).toBe(Number(truth.scene.red ?? 0) * 5 * 8);
    }
  });

  it('show every dot whole and apart from the others', () => {
    for (let index = 0; index < 50; index++) {
      const { rgb, truth } = generateProblem('dots', 2, index);
      const one = families.dots?.draw([{ name: 'red', value: 1 }], new Draws(2, 'one')) as Canvas;
      const inked = (picture: Uint8Array): number => {
        let count = 0;
        for (let i = 0; i < picture.length; i += 3) if (picture[i] !== 255 || picture[i + 1] !== 255) count++;
        return count;
      };
      const dots = (scene: object): number => Object.values(scene).reduce((sum, value) => sum + Number(value), 0);
      expect(inked(rgb) / dots(truth.scene)).toBe(inked(one.rgb));
    }
  });
});
