import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { requireSpace, weightBytes } from '../../../src/run/space.js';

test('free space is asked of the disk that a folder still to be made will be on', async () => {
  await requireSpace(join(tmpdir(), 'absent/folder'), 1);
  const wanted = requireSpace(join(tmpdir(), 'absent/folder'), 2e18);
  await expect(wanted).rejects.toThrow(/absent\/folder: free space: .*, wanted at least 2000000\.0 TB/);
});

test('the weights of a model folder are its safetensors files', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'mstar-space-'));
  for (const name of ['a.safetensors', 'b.safetensors', 'tokenizer.model']) writeFileSync(join(dir, name), 'abc');
  expect(await weightBytes(dir)).toBe(6);
  rmSync(dir, { recursive: true });
});
