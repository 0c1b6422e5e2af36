// Numbers as they stand in the report.
import { describe, expect, test } from 'vitest';
import { count, decimal, duration, percent, plural, points, significant } from '../../../src/page/format.js';

describe('numbers', () => {
  test('have a dash where there is none', () => {
    for (const format of [percent, points, count, significant, duration]) {
      expect([null, undefined, Number.NaN].map(format)).toEqual(['–', '–', '–']);
    }
  });

  test('are percentages and points with one decimal', () => {
    expect([percent(0.4567), percent(1), percent(0)]).toEqual(['45.7 %', '100.0 %', '0.0 %']);
    expect([points(0.094), points(-0.02), points(0.0004), points(-0.0004)]).toEqual(['+9.4', '−2.0', '0.0', '0.0']);
  });

  test('are grouped by three digits', () => {
    expect([count(0), count(999), count(1000), count(1234567)]).toEqual([
      '0',
      '999',
      '1\u202f000',
      '1\u202f234\u202f567',
    ]);
    expect([plural(1, 'problem'), plural(2000, 'problem')]).toEqual(['1 problem', '2\u202f000 problems']);
  });

  test('have a real minus and no negative zero', () => {
    expect([decimal(-0.004, 2), decimal(-1.5, 1)]).toEqual(['0.00', '−1.5']);
  });

  test('of any size have three digits', () => {
    const values = [0, 0.5, 0.000123, 0.0000012, 1234.5, -0.25, -0.0000012];
    expect(values.map(significant)).toEqual(['0', '0.5', '0.000123', '1.2e-6', '1230', '−0.25', '−1.2e-6']);
  });

  test('of seconds are durations', () => {
    expect([0.44, 59.4, 59.6, 200, 3600, 7530].map(duration)).toEqual([
      '0.4 s',
      '59 s',
      '1 min 0 s',
      '3 min 20 s',
      '1 h 0 min',
      '2 h 6 min',
    ]);
  });
});
