// Numbers as Python reads and writes them, against values that Python prints.
import { describe, expect, it } from 'vitest';
import { python } from '../../../../src/reward/protocol/python.js';

describe('python.float', () => {
  it.each<[string, number | null]>([
    [' 7.5\n', 7.5],
    ['1e3', 1000],
    ['.5', 0.5],
    ['5.', 5],
    ['1_000', 1000],
    ['-inf', Number.NEGATIVE_INFINITY],
    ['7 cm', null],
    ['1,000', null],
    ['', null],
    ['1e', null],
  ])('reads %j as %j', (text, value) => expect(python.float(text)).toBe(value));
});

describe('python.round and python.text', () => {
  it.each<[number, number, string]>([
    [2.675, 2, '2.67'],
    [0.125, 2, '0.12'],
    [0.375, 2, '0.38'],
    [-0.125, 2, '-0.12'],
    [0.25, 1, '0.2'],
    [7, 1, '7.0'],
    [1.005, 2, '1.0'],
    [-0.04, 1, '-0.0'],
    [0.00001, 6, '1e-05'],
    [1e16, 1, '1e+16'],
    [123456789.5, 1, '123456789.5'],
  ])('round(%d, %d) prints %s', (value, digits, text) => expect(python.text(python.round(value, digits))).toBe(text));
});

describe('python.int', () => {
  it.each<[number, string | null]>([
    [7.9, '7'],
    [-7.9, '-7'],
    [1e21, '1000000000000000000000'],
    [Number.NaN, null],
    [Number.POSITIVE_INFINITY, null],
  ])('int(%d) prints %j', (value, text) => expect(python.int(value)).toBe(text));
});
