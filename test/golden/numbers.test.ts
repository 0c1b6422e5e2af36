import { expect, test } from 'vitest';
import { ALL, lastRows, logSumExp, maximum, perRow, rowsOf, taken } from '../../tools/golden/numbers.js';

const cube = { shape: [2, 3, 4], data: Array.from({ length: 24 }, (_, i) => i) };
const matrix = { shape: [3, 2], data: [0, 1, 10, 11, 20, 21] };

test('an index takes a dimension away and a step thins it out', () => {
  expect(taken(cube, [ALL, ALL, ALL])).toEqual({ shape: [2, 3, 4], data: Float64Array.from(cube.data) });
  expect(taken(cube, [1, ALL, [1, 2]])).toEqual({ shape: [3, 2], data: Float64Array.from([13, 15, 17, 19, 21, 23]) });
  expect(taken(cube, [[1, 1], 0, 3])).toEqual({ shape: [1], data: Float64Array.from([15]) });
  expect(taken(cube, [[2, 1], 0, 3])).toEqual({ shape: [0], data: new Float64Array() });
});

test('another number of dimensions is an error that shows the shape', () => {
  expect(() => taken(cube, [ALL])).toThrow('shape [2,3,4], wanted 1 dimensions');
});

test('rows are taken by index or from the end', () => {
  expect(rowsOf(matrix, [2, 0])).toEqual({ shape: [2, 2], data: Float64Array.from([20, 21, 0, 1]) });
  expect(lastRows(matrix, 2)).toEqual({ shape: [2, 2], data: Float64Array.from([10, 11, 20, 21]) });
});

test('a row has one largest number and a sum of exponentials that does not overflow', () => {
  expect([...Array.from(perRow(matrix, maximum).data)]).toEqual([1, 11, 21]);
  expect(logSumExp(Float64Array.of(1000, 1000))).toBeCloseTo(1000 + Math.log(2), 12);
});
