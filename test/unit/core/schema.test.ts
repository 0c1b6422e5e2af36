import { expect, test } from 'vitest';
import { z } from 'zod';
import { checked } from '../../../src/core/schema.js';

const schema = z.object({ a: z.object({ b: z.number().max(3) }), c: z.enum(['x', 'y']).default('x') });
const check = (value: unknown) => checked(schema, value, 'f.json');

test('gives the value as the schema reads it', () => {
  expect(check({ a: { b: 1 }, more: 1 })).toEqual({ a: { b: 1 }, c: 'x' });
});

test.each([
  [{ a: { b: 'x' } }, 'f.json: a.b: "x", wanted a value of type number'],
  [{ a: {} }, 'f.json: a.b: missing, wanted a value of type number'],
  [{ a: { b: 4 } }, 'f.json: a.b: 4, wanted at most 3'],
  [{ a: { b: 1 }, c: 'z' }, 'f.json: c: "z", wanted "x" or "y"'],
  [null, 'f.json: document: null, wanted a value of type object'],
  [{ a: 'l'.repeat(500) }, /^f\.json: a: "l{199}\.\.\., wanted a value of type object$/],
])('says the field, what was found and what is wanted: %j', (value, message) => {
  expect(() => check(value)).toThrow(message);
});

test('says so of a value that is too deep to be shown', () => {
  const depth = 200_000;
  const deep: unknown = JSON.parse('['.repeat(depth) + ']'.repeat(depth));
  expect(() => check({ a: deep })).toThrow('f.json: a: a value of too many levels, wanted a value of type object');
});
