import { expect, test } from 'vitest';
import { compareExact, compareNorms, compareNumbers, Report } from '../../tools/golden/report.js';

test('numbers are compared by their largest difference', () => {
  expect(compareNumbers([1, 2.5, 3], [1, 2, 3], 0.4)).toMatchObject({
    ok: false,
    error: 0.5,
    note: 'number 1: 2.5, wanted 2',
  });
  expect(compareNumbers([1, 2.5, 3], [1, 2, 3], 0.5)).toMatchObject({ ok: true, error: 0.5 });
  expect(compareNumbers([1], [1], 0)).toMatchObject({ ok: true, error: 0 });
});

test('a NaN or another length never passes', () => {
  expect(compareNumbers([Number.NaN], [1], 1e9)).toMatchObject({ ok: false });
  expect(compareNumbers([1], [Number.NaN], 1e9)).toMatchObject({ ok: false });
  expect(compareNumbers([1, 2], [1], 1e9)).toMatchObject({ ok: false });
  expect(compareNorms(new Map([['a', Number.NaN]]), { wanted: { a: 1 }, tolerance: 1e9, floor: 1 })).toMatchObject({
    ok: false,
  });
});

test('sequences and texts are compared by their first difference', () => {
  expect(compareExact([1, 2], [1, 2])).toEqual({ ok: true, note: '2 equal' });
  expect(compareExact([1, 2], [1, 3, 4]).note).toBe('place 1: 2, wanted 3');
  expect(compareExact('ab', 'abc').note).toBe('place 2: nothing, wanted "c"');
  expect(compareExact([1, 2, 3], [1, 2]).note).toBe('place 2: 3, wanted nothing');
});

test('norms are compared by name, relative or with a floor', () => {
  const found = new Map([['a', 0.0011]]);
  expect(compareNorms(found, { wanted: { a: 0.001 }, tolerance: 0.01 })).toMatchObject({ ok: false });
  expect(compareNorms(found, { wanted: { a: 0.001 }, tolerance: 0.01, floor: 1 })).toMatchObject({ ok: true });
  expect(compareNorms(found, { wanted: {}, tolerance: 1 }).note).toBe('a: 0.0011, wanted nothing');
  expect(compareNorms(new Map(), { wanted: { a: 1 }, tolerance: 1 }).note).toBe('a: nothing, wanted 1');
  expect(compareNorms(new Map([['a', 0]]), { wanted: { a: 0 }, tolerance: 0.01 })).toMatchObject({ ok: true });
  expect(compareNorms(found, { wanted: { a: 0 }, tolerance: 0.01 })).toMatchObject({ ok: false });
});

test('norms of noise are not compared, but have to be noise', () => {
  const wanted = { a: 1, b: 1e-9 };
  const rule = { wanted, tolerance: 0.01, noiseBelow: 1e-6 };
  const norms = (b: number) => new Map(Object.entries({ a: 1, b }));
  expect(compareNorms(norms(5e-8), rule)).toMatchObject({ ok: true });
  expect(compareNorms(norms(1e-3), rule)).toMatchObject({ ok: false });
  expect(compareNorms(norms(9), { ...rule, noisy: ['b'] })).toMatchObject({ ok: true, note: '1 norms' });
});

test('a check that throws is a failed line and the next ones still run', async () => {
  const printed: string[] = [];
  const report = new Report((line) => printed.push(line));
  await report.check('case', 'one', () => {
    throw new Error('broken');
  });
  await report.check('case', 'two', () => ({ ok: true, error: 0.5, tolerance: 1, note: '' }));
  expect(report.failed).toMatchObject({ stage: 'one', note: 'broken' });
  expect(printed[0]).toMatch(/^FAIL case +one +broken$/);
  expect(printed[1]).toMatch(/^ok {3}case +two +largest error 5\.0e-1 \(at most 1\)$/);
});
