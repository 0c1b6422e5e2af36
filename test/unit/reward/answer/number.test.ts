// Numbers in text.
import { describe, expect, it } from 'vitest';
import { canonicalNumber, findNumbers, findNumberWords } from '../../../../src/reward/answer/number.js';

describe('findNumbers', () => {
  it.each([
    ['7 and 8.5 and .25', [7, 8.5, 0.25]],
    ['1,234,567.5', [1234567.5]],
    ['1, 2,3', [1, 2, 3]],
    ['12,34', [12, 34]],
    ['-5 - 3 = -8', [-5, 3, -8]],
    ['7-3', [7, 3]],
    ['x = -3', [-3]],
    ['(-3)', [-3]],
    ['2010-2015', [2010, 2015]],
    ['-$5 or $-6', [-5, -6]],
    ['3/4 and 1 1/2 and 5/0', [0.75, 1.5, 5, 0]],
    ['3.2e3, 4*10^2, 5 x 10^(-1)', [3200, 400, 0.5]],
    ['H2O, cm2, x_1', []],
    ['3rd, 5cm', [3, 5]],
    ['1.2.3', [1.2]],
    ['no number', []],
  ])('in %j finds %j', (text, values) => {
    expect(findNumbers(text).map(({ value }) => value)).toEqual(values);
  });

  it('says where a number stands and whether it is a percentage', () => {
    const text = 'is -45 % or 3 percent, not 7 percentages, -$5';
    expect(findNumbers(text).map(({ start, end, percent }) => [text.slice(start, end), percent])).toEqual([
      ['-45 %', true],
      ['3 percent', true],
      ['7', false],
      ['-$5', false],
    ]);
  });
});

describe('findNumberWords', () => {
  it.each([
    ['three', [3]],
    ['Twenty-one and forty two', [21, 42]],
    ['two hundred and five', [205]],
    ['three hundred forty thousand two', [340002]],
    ['nineteen thousand and one', [19001]],
    ['one, two and three', [1, 2, 3]],
    ['five and six', [5, 6]],
    ['a hundred', [100]],
    ['two hundred and more', [200]],
    ['someone often, tents', []],
  ])('in %j finds %j', (text, values) => {
    expect(findNumberWords(text).map(({ value }) => value)).toEqual(values);
  });

  it('says where the words stand', () => {
    const text = 'about two hundred and five apples';
    expect(findNumberWords(text).map(({ start, end }) => text.slice(start, end))).toEqual(['two hundred and five']);
  });
});

describe('canonicalNumber', () => {
  it.each([
    [8, undefined, '8'],
    [8.5, undefined, '8.5'],
    [0.1 + 0.2, undefined, '0.3'],
    [-0, undefined, '0'],
    [2.675, 2, '2.68'],
    [-2.675, 2, '-2.68'],
    [1.005, 2, '1.01'],
    [4.9, 2, '4.9'],
    [-0.001, 2, '0'],
    [1e21, 2, '1e+21'],
    [1e308, 2, '1e+308'],
    [0.5, 400, '0.5'],
    [12345678901.5, 2, '12345678901.5'],
  ])('writes %d at precision %j as %j', (value, precision, text) => {
    expect(canonicalNumber(value, precision)).toBe(text);
  });
});
