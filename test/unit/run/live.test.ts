import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Run } from '../../../src/run/folder.js';
import { type Live, LiveDisplay, readLive } from '../../../src/run/live.js';
import { ownersOf } from '../../../src/run/lock.js';
import { silent } from '../../../src/run/terminal.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'mstar-live-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const moment = { title: 'iter-0001', done: 3, total: 9, fraction: 0.25, secondsLeft: 60, tokensPerSecond: undefined };

async function written(): Promise<Live> {
  for (;;) {
    const live = await readLive(dir);
    if (live) return live;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('progress.json', () => {
  test('tells the moment that was shown, memory and ranks, and goes with the process', async () => {
    const shown: unknown[] = [];
    const ranks = { note: () => '2 ranks', lines: () => ['rank 0: busy', 'rank 1: waiting'] };
    const display = new LiveDisplay(dir, { ...silent, show: (one) => shown.push(one), ranks });
    display.show(moment);
    display.show({ ...moment, done: 4 });
    const live = await written();
    expect(live).toMatchObject({
      ...{ title: 'iter-0001', done: 3, total: 9, fraction: 0.25, secondsLeft: 60, tokensPerSecond: null },
      ranks: ['rank 0: busy', 'rank 1: waiting'],
    });
    expect(Math.abs(live.at - Date.now() / 1000)).toBeLessThan(60);
    expect(live.residentBytes).toBeGreaterThan(1e6);
    expect(shown).toHaveLength(2);
    await display.clear();
    expect(readdirSync(dir)).toEqual([]);
  });

  test('that cannot be written costs the run nothing', async () => {
    mkdirSync(join(dir, 'progress.json', 'in-the-way'), { recursive: true });
    const display = new LiveDisplay(dir, silent);
    display.show(moment);
    await expect(display.clear()).resolves.toBeUndefined();
    expect(readdirSync(dir)).toEqual(['progress.json']);
  });

  test('of a process that was killed is gone once another one has opened the run', async () => {
    writeFileSync(join(dir, 'config.yaml'), '');
    writeFileSync(join(dir, 'progress.json'), '{"at":1}');
    expect(await readLive(dir)).toBeUndefined();
    const run = await Run.open({ dir, settings: {} });
    expect(existsSync(join(dir, 'progress.json'))).toBe(false);
    const meter = run.progress.meter('one', 'sample', 'one: sampling');
    meter.expect(4);
    expect((await written()).title).toBe('one: sampling');
    expect(await ownersOf(dir)).toEqual([{ host: expect.any(String), pid: String(process.pid), lives: true }]);
    await run.close();
    expect(existsSync(join(dir, 'progress.json'))).toBe(false);
    expect(await ownersOf(dir)).toEqual([]);
  });

  test('an owner on another machine is neither alive nor gone', async () => {
    writeFileSync(join(dir, 'lock-elsewhere-12-34'), '');
    expect(await ownersOf(dir)).toEqual([{ host: 'elsewhere', pid: '12', lives: undefined }]);
  });
});
