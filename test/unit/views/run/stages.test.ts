// report.html of runs of every stage and method on the fake learner, one of them copied while it was at work.
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ConfigInput } from '../../../../src/config/schema.js';
import { evolve } from '../../../../src/jobs/jobs.js';
import { writeReport } from '../../../../src/views/run/report.js';
import { fakeHost } from '../../../fakes/host.js';
import { smallRecipe } from '../../../integration/recipe.js';
import { faultsOf, matches } from './markup.js';

let root: string;
let copy: string;
const optimizer = { lr: 0.06, batchSize: 8, weightDecay: 0 };
const recipe = (name: string, evolution: object = {}): ConfigInput =>
  smallRecipe(root, name, { evolve: { iterations: 2, interval: 24, n: 6, optimizer, ...evolution } });

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'mstar-stages-'));
  copy = join(root, 'copy');
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const report = async (dir: string): Promise<string> => readFileSync(await writeReport(dir), 'utf8');

describe('the report', () => {
  test('of a run that has only its warm-up shows the training and says that nothing is tested', async () => {
    await evolve(recipe('warm'), { host: fakeHost(), until: 'warmup' });
    const text = await report(join(root, 'warm'));
    expect(text).toContain('No checkpoint has been tested yet.');
    expect(text).toContain('id="warmup-loss-title"');
    expect(faultsOf(text)).toEqual([]);
  });

  test.each(['rest-em', 'iterative-rft'])('of a run of method %s has every section', async (method) => {
    const show = ({ title, done }: { title: string; done: number }): void => {
      if (title !== 'iter-0002: training' || done < 2 || existsSync(copy)) return;
      cpSync(join(root, method), copy, { recursive: true });
    };
    const display = { show, say() {}, close() {} };
    await evolve(recipe(method, { method }), { host: fakeHost(), display });
    const text = await report(join(root, method));
    expect(text).toContain(method);
    expect(matches(text, /<section id="([^"]+)"/g)).toHaveLength(10);
    expect(faultsOf(text)).toEqual([]);
  });

  test('of a folder copied in the middle of a training shows what was committed', async () => {
    expect(readdirSync(join(copy, 'work'))).not.toEqual([]);
    const text = await report(copy);
    expect(text).toContain('This run is not finished.');
    expect(text).toContain('<th scope="row">iteration 1</th>');
    expect(faultsOf(text)).toEqual([]);
  });
});
