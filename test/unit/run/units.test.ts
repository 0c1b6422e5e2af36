import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Run } from '../../../src/run/folder.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'mstar-units-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** What a phase gave for 7 items in units of 2, and the most units that were under way at once. */
async function walk(atOnce: number, make: (items: readonly number[]) => Promise<string>) {
  const run = await Run.open({ dir, settings: { seed: 1 } });
  let underWay = 0;
  let most = 0;
  try {
    const seen = await run.phase('work', async (phase) => {
      const made: { items: readonly number[]; value: string; found: boolean }[] = [];
      const counted = async (items: readonly number[]): Promise<string> => {
        most = Math.max(most, ++underWay);
        try {
          return await make(items);
        } finally {
          underWay--;
        }
      };
      for await (const unit of phase.units([0, 1, 2, 3, 4, 5, 6], { name: 'part', size: 2, atOnce }, counted))
        made.push({ ...unit });
      return made;
    });
    return { seen, most, left: underWay };
  } finally {
    await run.close();
  }
}

describe('units over a list', () => {
  test.each([1, 3, 9])(
    'come in the order of the list with %i under way at once, however long each takes',
    async (atOnce) => {
      const { seen, most } = await walk(atOnce, async (items) => {
        await pause(items[0] === 0 ? 300 : 150);
        return items.join();
      });
      expect(seen.map(({ value }) => value)).toEqual(['0,1', '2,3', '4,5', '6']);
      expect(seen.map(({ items }) => items)).toEqual([[0, 1], [2, 3], [4, 5], [6]]);
      expect(most).toBe(Math.min(atOnce, 4));
    },
  );

  test('are begun in the place of those that are done while an earlier one takes long', async () => {
    let begun = 0;
    let beforeFirst = 0;
    await walk(2, async (items) => {
      begun++;
      for (let waited = 0; items[0] === 0 && begun < 4 && waited < 10_000; waited += 10) await pause(10);
      if (items[0] === 0) beforeFirst = begun;
      return items.join();
    });
    expect(beforeFirst).toBe(4);
  });

  test('that were finished before a failure are found again, and none is begun after it', async () => {
    const asked: number[] = [];
    const make = (fails: boolean) => async (items: readonly number[]) => {
      asked.push(items[0] as number);
      if (fails && items[0] === 2) throw new Error('no luck');
      await pause(20);
      return items.join();
    };
    await expect(walk(3, make(true))).rejects.toThrow('no luck');
    // Each unit is first looked for on the disk, so that those begun together are asked for in any order.
    expect(asked.toSorted()).toEqual([0, 2, 4]);
    asked.length = 0;
    const { seen } = await walk(3, make(false));
    expect(asked.toSorted()).toEqual([2, 6]);
    expect(seen.map(({ found }) => found)).toEqual([true, false, true, false]);
  });

  test('wait for those under way before a failure is thrown', async () => {
    let last = '';
    const failing = walk(3, async (items) => {
      if (items[0] === 0) throw new Error('no luck');
      await pause(50);
      last = items.join();
      return last;
    });
    await expect(failing).rejects.toThrow('no luck');
    expect(last).toBe('4,5');
  });
});
