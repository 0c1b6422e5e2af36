// The page of several runs: whole, safe, alone, and of runs that have hardly begun.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toHtmlPage } from '../../../../src/page/document.js';
import { escapeText } from '../../../../src/page/html.js';
import { readRuns } from '../../../../src/views/compare/comparison.js';
import { describeComparison } from '../../../../src/views/compare/page.js';
import { type FakeEvent, iterated, samples, step, stood, tested, writeRun } from '../../../fakes/journal.js';
import { faultsOf, matches } from '../run/markup.js';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'mstar-compare-page-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const run = (name: string, settings: object, ...events: FakeEvent[]) => writeRun(join(root, name), settings, events);
const page = async (...dirs: string[]): Promise<string> => toHtmlPage(describeComparison(await readRuns(dirs)));
const charts = (text: string): string[] => matches(text, /<svg [^>]*aria-labelledby="(\S+)-title /g);

/** A run of this many iterations. */
function events(iterations: number, accuracy: number, k = 8): FakeEvent[] {
  const all = [
    { event: 'start', problems: 'abc' },
    tested('base', accuracy),
    tested('warmup', accuracy + 0.05),
    stood(0, accuracy, [samples(1, { k })]),
  ];
  for (let i = 1; i <= iterations; i++) {
    const at = `iter-000${i}`;
    all.push(step(at, 0.5 / i), step(at, 0.4 / i), iterated(i));
    all.push(stood(i, accuracy + i / 20, [samples(1, { k })]), tested(at, accuracy + i / 20));
  }
  return all;
}

const ALL = [
  'test-iteration',
  'test-step',
  'dynamics-greedy',
  'dynamics-pass',
  'dynamics-gap',
  'dynamics-reward',
  'training-loss',
  'training-rate',
];

describe('the page of several runs', () => {
  test('draws every curve, names the runs by letter and gives the numbers', async () => {
    const text = await page(run('a', { seed: 1 }, ...events(3, 0.4)), run('b', { seed: 2 }, ...events(1, 0.5)));
    expect(charts(text)).toEqual(ALL);
    expect(faultsOf(text)).toEqual([]);
    expect(matches(text, /<section id="([^"]+)"/g)).toEqual(matches(text, /<a href="#([^"]+)"/g));
    expect(text).toContain('<th scope="row"><code>seed</code></th><td><code>1</code></td><td><code>2</code></td>');
    expect(text).toContain('<th scope="row">3</th><td>55.0 %</td><td>–</td>');
    expect(text).toContain('<b>B</b> b');
    expect(text).not.toContain('class="warning"');
  });

  test('takes eight runs, each with a colour of its own', async () => {
    const dirs = Array.from({ length: 8 }, (_, i) => run(`r${i}`, { seed: i }, ...events(2, 0.3 + i / 50)));
    const text = await page(...dirs);
    const key = matches(text, /<ul class="legend key">(.*?)<\/ul>/g)[0] as string;
    expect(new Set(matches(key, /background:(var\(--\w+\))/g)).size).toBe(8);
    expect(faultsOf(text)).toEqual([]);
  });

  test('is the same for the same folders', async () => {
    const dirs = [run('same-a', {}, ...events(2, 0.4)), run('same-b', {}, ...events(2, 0.4))];
    const [first, second] = [await page(...dirs), await page(...dirs)];
    expect(first === second).toBe(true);
    expect(first).toContain('All settings are the same.');
  });

  test('says where runs had other problems, other numbers of responses, or no temperature in common', async () => {
    const other = events(1, 0.4, 16).map((event) => (event.event === 'start' ? { ...event, problems: 'xyz' } : event));
    const text = await page(run('k8', {}, ...events(1, 0.4)), run('k16', {}, ...other));
    expect(text).toContain('did not have the same problems');
    expect(text).toContain('K differs: A 8, B 16');
    expect(text).toContain('Pass@K');
    const cold = [tested('base', 0.4), stood(0, 0.4, [samples(0.2)])];
    const apart = await page(run('hot', {}, ...events(1, 0.4)), run('cold', {}, ...cold));
    expect(apart).toContain('so only greedy accuracy is compared');
    expect(charts(apart)).not.toContain('dynamics-gap');
  });

  test('holds of runs that have done nothing yet, or stopped inside a training', async () => {
    const nothing = run('nothing', {});
    expect(charts(await page(nothing, run('nothing-2', { seed: 2 })))).toEqual([]);
    const inside = run('inside', {}, ...events(1, 0.4), step('iter-0002'));
    const text = await page(inside, nothing);
    expect(charts(text)).toEqual(ALL);
    expect(faultsOf(text)).toEqual([]);
    const warm = await page(run('warm', {}, step('warmup'), tested('base', 0.2), tested('warmup', 0.3)), nothing);
    expect(charts(warm)).toEqual(['test-iteration']);
  });

  test('shows names and settings as text, whatever they hold', async () => {
    const evil = '<script>alert(1)</script>';
    const text = await page(run('plain', { model: evil }), run('<b>"bold"', { model: `'"${evil}` }));
    expect(text).toContain(escapeText('<b>"bold"'));
    expect(text).not.toContain('<script');
    expect(faultsOf(text)).toEqual([]);
  });
});
