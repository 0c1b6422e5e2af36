import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { UserError } from '../../../src/core/errors.js';
import { BoundedCache, PictureStore } from '../../../src/images/store.js';
import { removeTemporary, temporary } from '../../fakes/model-folder.js';
import { solidPng } from '../../fakes/png.js';

afterAll(removeTemporary);
const newStore = () => new PictureStore({ maxPixels: 1e6, cacheBytes: 1e6 });

test('a file is decoded once while it does not change', async () => {
  const path = join(temporary(), 'a.png');
  writeFileSync(path, solidPng(2, 2, [1, 2, 3]));
  const store = newStore();
  const [first, second] = await Promise.all([store.get({ path }), store.get({ path })]);
  expect(second).toBe(first);
  writeFileSync(path, solidPng(2, 2, [4, 5, 6]));
  utimesSync(path, 1e9, 1e9);
  expect((await store.get({ path })).rgb[0]).toBe(4);
});

test('bytes are known by their contents', async () => {
  const store = newStore();
  const first = await store.get({ bytes: solidPng(2, 2, [1, 2, 3]), name: 'a' });
  expect(await store.get({ bytes: solidPng(2, 2, [1, 2, 3]), name: 'b' })).toBe(first);
});

test('many pictures at a time all arrive', async () => {
  const store = newStore();
  const pictures = await Promise.all(
    Array.from({ length: 50 }, (_, i) => store.get({ bytes: solidPng(1, 1, [i, 0, 0]), name: `${i}` })),
  );
  expect(pictures.map(({ rgb }) => rgb[0])).toEqual(Array.from({ length: 50 }, (_, i) => i));
});

test('what is no regular file is refused without waiting', async () => {
  const store = newStore();
  await expect(store.get({ path: '/dev/zero' })).rejects.toThrow('/dev/zero: file: not a regular file');
  await expect(store.get({ path: temporary() })).rejects.toThrow(UserError);
  await expect(store.get({ path: '/nowhere.png' })).rejects.toThrow('no such file');
});

test('a failed read is tried again', async () => {
  const path = join(temporary(), 'a.png');
  const store = newStore();
  await expect(store.get({ path })).rejects.toThrow(UserError);
  writeFileSync(path, solidPng(2, 2, [1, 2, 3]));
  expect((await store.get({ path })).width).toBe(2);
});

test('the cache stays below its size and drops what was used longest ago', async () => {
  const cache = new BoundedCache<string>(10, (value) => value.length);
  const made: string[] = [];
  const get = (key: string, length: number) =>
    cache.get(key, async () => {
      made.push(key);
      return key.repeat(length);
    });
  await get('a', 4);
  await get('b', 4);
  await get('a', 4);
  await get('c', 4);
  expect(cache.size).toBe(8);
  await get('a', 4);
  await get('b', 4);
  expect(made).toEqual(['a', 'b', 'c', 'b']);
});

test('a value larger than the cache is given and not kept', async () => {
  const cache = new BoundedCache<string>(10, (value) => value.length);
  await cache.get('small', async () => 'x');
  expect(await cache.get('big', async () => 'x'.repeat(11))).toHaveLength(11);
  expect(cache.size).toBe(1);
});
