import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { aboutOf, commitCheckpoint, faultOf } from '../../../src/run/checkpoint.js';
import { putDurable, removeDurable, sweepAside, writeDurable } from '../../../src/run/durable.js';
import { keepUnit, readUnit } from '../../../src/run/units.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'mstar-durable-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('a durable write', () => {
  test('that fails leaves the old content and nothing else', async () => {
    await writeDurable(join(dir, 'a'), 'old');
    const failing = putDurable(join(dir, 'a'), async (aside) => {
      await writeFile(aside, 'half');
      throw new Error('disk full');
    });
    await expect(failing).rejects.toThrow('disk full');
    expect(readFileSync(join(dir, 'a'), 'utf8')).toBe('old');
    expect(readdirSync(dir)).toEqual(['a']);
  });

  test('replaces a folder that has content', async () => {
    const put = (name: string) =>
      putDurable(join(dir, 'folder'), async (aside) => {
        await mkdir(aside);
        await writeFile(join(aside, name), name);
      });
    await put('one');
    await put('two');
    expect(readdirSync(dir)).toEqual(['folder']);
    expect(readdirSync(join(dir, 'folder'))).toEqual(['two']);
  });

  test('that was cut off is swept away, and deleting what is absent is no error', async () => {
    writeFileSync(join(dir, 'b.aside'), 'half');
    await sweepAside(dir);
    await sweepAside(join(dir, 'absent'));
    await removeDurable(join(dir, 'absent'));
    expect(readdirSync(dir)).toEqual([]);
  });
});

describe('a checkpoint', () => {
  const folder = (): string => join(dir, 'checkpoint');
  const save = async (aside: string): Promise<void> => {
    await mkdir(join(aside, 'inner'), { recursive: true });
    await writeFile(join(aside, 'weights'), 'abc');
    await writeFile(join(aside, 'inner/side'), 'de');
  };

  test('verifies and says what it was made for', async () => {
    await commitCheckpoint(folder(), { step: 3 }, save);
    expect(await faultOf(folder())).toBeUndefined();
    expect(await aboutOf(folder())).toEqual({ step: 3 });
    const manifest = JSON.parse(readFileSync(join(folder(), 'manifest.json'), 'utf8'));
    expect(Object.keys(manifest.files)).toEqual(['inner/side', 'weights']);
  });

  test.each([
    ['a changed byte', 'weights', 'abd', 'weights: differs from its SHA-256'],
    ['a short file', 'weights', 'ab', 'weights: 2 bytes, wanted 3'],
    ['a torn manifest', 'manifest.json', '{"format":1,"fi', 'no readable manifest.json'],
  ])('with %s does not verify', async (_, name, text, fault) => {
    await commitCheckpoint(folder(), null, save);
    writeFileSync(join(folder(), name), text);
    expect(await faultOf(folder())).toBe(fault);
  });

  test('with a missing file, or that is missing itself, does not verify', async () => {
    expect(await faultOf(folder())).toBe('no readable manifest.json');
    await commitCheckpoint(folder(), null, save);
    rmSync(join(folder(), 'inner/side'));
    expect(await faultOf(folder())).toBe('inner/side: missing');
  });

  test('whose writing fails does not appear', async () => {
    const failing = commitCheckpoint(folder(), null, async (aside) => {
      await save(aside);
      throw new Error('no space');
    });
    await expect(failing).rejects.toThrow('no space');
    expect(readdirSync(dir)).toEqual([]);
  });
});

describe('a unit', () => {
  test('gives back typed arrays, undefined and numbers bit for bit', async () => {
    const value = { a: Float32Array.of(0.1, Number.NaN), b: Int32Array.of(-1), c: undefined, d: [1 / 3, -0] };
    await keepUnit(join(dir, 'u'), value);
    expect((await readUnit<typeof value>(join(dir, 'u')))?.value).toEqual(value);
  });

  test('that is absent, empty or damaged counts as not made', async () => {
    expect(await readUnit(join(dir, 'u'))).toBeUndefined();
    writeFileSync(join(dir, 'u'), '');
    expect(await readUnit(join(dir, 'u'))).toBeUndefined();
    await keepUnit(join(dir, 'u'), [1, 2, 3]);
    const bytes = readFileSync(join(dir, 'u'));
    bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
    writeFileSync(join(dir, 'u'), bytes);
    expect(await readUnit(join(dir, 'u'))).toBeUndefined();
  });
});
