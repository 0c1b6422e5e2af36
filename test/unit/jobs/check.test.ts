import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { doctor } from '../../../src/jobs/check.js';

const root = mkdtempSync(join(tmpdir(), 'mstar-check-'));
afterAll(() => rmSync(root, { recursive: true }));

/** The part of the moments in the memory of a training step, by a recipe with these optimizers. */
async function moments([warmup, prm, evolve]: object[]): Promise<unknown> {
  const config = join(root, 'recipe.yaml');
  const optimizers = { warmup: { optimizer: warmup }, prm: { optimizer: prm }, evolve: { optimizer: evolve } };
  writeFileSync(config, JSON.stringify({ run: { dir: root }, ...optimizers }));
  const { plans } = await doctor('assets/tiny-internvl2', { config, gpus: [1] });
  return plans[0]?.phases.find(({ phase }) => phase === 'training')?.items.find(({ what }) => what.startsWith('AdamW'));
}

test('memory is planned for the phase in which most numbers learn, with the larger moments', async () => {
  const small = { moments: '8bit', freeze: ['vision'] };
  const all = { moments: 'float32', freeze: [] };
  const wide = await moments([all, all, all]);
  expect(wide).toMatchObject({ what: 'AdamW moments (8 bytes)' });
  expect(await moments([small, small, small])).toMatchObject({ what: 'AdamW moments (3 bytes)' });
  for (const place of [0, 1, 2])
    expect(await moments([0, 1, 2].map((at) => (at === place ? all : small)))).toEqual(wide);
});
