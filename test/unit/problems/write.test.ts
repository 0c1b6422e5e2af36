import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { generateProblem } from '../../../src/problems/problem.js';
import { type Written, writeProblems } from '../../../src/problems/write.js';

let dir: string;
let written: Written;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mstar-problems-'));
  written = await writeProblems(join(dir, 'a'), { count: 8, seed: 3 });
});

describe('a written data set', () => {
  it('holds the problems in MathV360K records whose pictures exist', async () => {
    const rows = JSON.parse(await readFile(written.file, 'utf8'));
    expect(rows).toHaveLength(8);
    for (const row of rows) {
      expect(row.conversations.map((turn: { from: string }) => turn.from)).toEqual(['human', 'gpt']);
      expect(row.conversations[0].value.startsWith('<image>\n')).toBe(true);
      expect(row.conversations[1].value).toMatch(/^The answer is ([A-D]|\d+|even|odd|yes|no)$/);
      expect(row.image).toMatch(/^(bars|dots|shapes|dials)\/images\/\d{6}\.png$/);
      await expect(sharp(join(written.imageRoot, row.image)).metadata()).resolves.toMatchObject({
        width: 56,
        height: 56,
      });
    }
  });

  it('keeps every pixel of the drawn picture', async () => {
    const file = join(written.imageRoot, 'dots/images/000001.png');
    const pixels = await sharp(file).raw().toBuffer();
    expect(new Uint8Array(pixels)).toEqual(generateProblem('dots', 3, 1).rgb);
  });

  it('has the same bytes when written again', async () => {
    const again = await writeProblems(join(dir, 'b'), { count: 8, seed: 3 });
    expect(await readFile(again.file)).toEqual(await readFile(written.file));
    for (const family of await readdir(written.imageRoot)) {
      for (const name of await readdir(join(written.imageRoot, family, 'images'))) {
        const path = join(family, 'images', name);
        expect(await readFile(join(again.imageRoot, path))).toEqual(await readFile(join(written.imageRoot, path)));
      }
    }
  });

  it('can continue at a later number with the problems that a longer one would have', async () => {
    const tail = await writeProblems(join(dir, 'c'), { count: 4, seed: 3, first: 4 });
    const rows = JSON.parse(await readFile(written.file, 'utf8'));
    expect(JSON.parse(await readFile(tail.file, 'utf8'))).toEqual(rows.slice(4));
  });
});
