// `mstar check` on a tiny model: what it says of a data set, and that a model alone needs no pictures.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, describe, expect, test } from 'vitest';
import { tinyBackbone } from '../../fakes/backbones.js';
import { addonBuilt, removeTemporary, temporary, tinyModel } from '../../fakes/model-folder.js';

const cli = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));
afterAll(removeTemporary);

const check = (...args: string[]) => mstar('check', ...args);

function mstar(...args: string[]): { status: number | null; out: string; error: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8' });
  return { status, out: stdout, error: stderr };
}

/** Path of a data set with these questions, without pictures. */
function dataSet(questions: Readonly<Record<string, string>>): string {
  const file = join(temporary(), 'data.jsonl');
  const lines = Object.entries(questions).map(([id, content]) => {
    const messages = [
      { role: 'user', content },
      { role: 'assistant', content: '2' },
    ];
    return JSON.stringify({ id, messages });
  });
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

describe.skipIf(!addonBuilt)('mstar check (skipped where the addon is not built)', () => {
  test('a model alone, on the device that is named', async () => {
    const { status, out } = check(await tinyModel(), '--device', 'cpu');
    expect(status).toBe(0);
    expect(out).toMatch(/^positions {3}512 of a prompt and its response together$/m);
    expect(out).toMatch(/^ok$/m);
  });

  test('counts and names the prompts that leave no position for a response', async () => {
    const model = await tinyModel();
    const right = check(model, '--data', dataSet({ a: 'one?', b: 'two?' }));
    expect([right.status, right.error]).toEqual([0, '']);
    expect(right.out).toMatch(/^data {8}messages: 2 problems, 0 pictures, 0 hint lines$/m);
    const file = dataSet({ a: 'one?', long: 'one two '.repeat(200), b: 'two?', longer: 'one two '.repeat(300) });
    const { status, out, error } = check(model, '--data', file);
    expect(status).not.toBe(0);
    expect(out).not.toMatch(/^ok$/m);
    expect(error).toMatch(
      /data\.jsonl: prompts: 2 of 4 leave no position for a response \(long: \d+ tokens, longer: \d+ tokens\), wanted fewer than 512 tokens; a run passes over them\n$/,
    );
  });

  test('limits of pictures bound the prompts, as check and doctor say, of models whose pictures keep their shape', async () => {
    const model = await tinyBackbone('qwen3_vl');
    const dir = temporary();
    await sharp({ create: { width: 200, height: 100, channels: 3, background: 'red' } }).toFile(join(dir, 'a.png'));
    const file = join(dir, 'data.csv');
    writeFileSync(file, 'question,answer,image\none?,1,a.png\none?,2,\n');
    const lengths = (...limits: string[]) => {
      const { model: found, data } = JSON.parse(check(model, '--data', file, '--json', ...limits).out);
      return [data.promptTokens.least, data.promptTokens.most, found.imageTokens];
    };
    // Cells of 16 x 16 under the limits of the folder, 1,024 to 10,240 pixels: 8 x 4, and 10 x 4 of 640 x 480 at most.
    const [text, whole, example] = lengths();
    const [same, small, least] = lengths('--min-pixels', '512', '--max-pixels', '2048');
    expect(same).toBe(text);
    expect([example <= 40, least <= 8, whole - small > 20]).toEqual([true, true, true]);
    const patches = (...limits: string[]) => JSON.parse(mstar('doctor', model, '--json', ...limits).out).patches;
    expect(patches('--max-pixels', '2048')).toBeLessThan(patches() / 4);
    expect(check(model, '--max-pixels', '512').error).toBe(
      'error: maxPixels: pictures of 1024 pixels at least and 512 at most, wanted minPixels no larger than maxPixels\n',
    );
    expect(check(await tinyModel(), '--min-pixels', '512').error).toBe(
      'error: minPixels: given for internvl2, whose pictures have no such limit, wanted none\n',
    );
  });

  test('doctor plans a recipe for its own model where none is named', () => {
    const plan = (...args: string[]) => mstar('doctor', ...args, '--preset', 'demo', '--gpus', '1', '--json').out;
    expect(JSON.parse(plan()).plans).toEqual(JSON.parse(plan('mstar:tiny')).plans);
    const recipe = join(temporary(), 'recipe.yaml');
    writeFileSync(recipe, 'model: { path: mstar:tiny }\n');
    expect(mstar('doctor', '--config', recipe, '--gpus', '1').out).toMatch(/^model {7}internvl2, policy$/m);
    expect(mstar('doctor').error).toBe(
      'error: model: missing, wanted mstar doctor MODEL, or a recipe as --config or --preset\n',
    );
  });
});
