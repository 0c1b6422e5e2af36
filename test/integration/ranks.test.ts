// The command line over several processes with the native engine: the bytes are those of one process, and the loss of a
// rank ends the job at once, with nothing lost.
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RanksJob, ranksOf } from './ranks-job.js';

let job: RanksJob;

beforeAll(() => {
  job = new RanksJob();
});
afterAll(() => job.remove());

describe('a recipe over several processes', () => {
  test('leaves the bytes of one process', { timeout: 300_000 }, async () => {
    expect(await job.start('one', 1).ended).toEqual({ code: 0, text: '' });
    expect(await job.start('two', 2).ended).toEqual({ code: 0, text: '' });
    expect(job.files('two')).toEqual(job.files('one'));
  });

  test.each(['SIGINT', 'SIGHUP', 'SIGTERM'] as const)(
    'stops at a safe point where a terminal sends %s to the whole process group, and goes on',
    { timeout: 300_000 },
    async (signal) => {
      const { child, ended } = job.start(signal, 2);
      await job.atWork(signal, 'warmup');
      const ranks = ranksOf(child);
      process.kill(-(child.pid as number), signal);
      expect(await ended).toEqual({ code: 128 + constants.signals[signal], text: expect.stringContaining('goes on') });
      for (const pid of ranks.values()) expect(existsSync(`/proc/${pid}`)).toBe(false);
      expect(await job.start(signal, 2).ended).toEqual({ code: 0, text: '' });
      expect(job.files(signal)).toEqual(job.files('one'));
    },
  );

  test('stopped before its ranks are there ends with the code of the signal', { timeout: 60_000 }, async () => {
    const { child, ended } = job.start('early', 2);
    while (ranksOf(child).size < 2) await pause(5);
    child.kill('SIGTERM');
    expect((await ended).code).toBe(143);
    expect(existsSync(join(job.root, 'early', 'journal.jsonl'))).toBe(false);
  });
});
