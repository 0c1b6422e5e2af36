// The command line over several processes with the native engine: the bytes are those of one process, and the loss of a
// rank ends the job at once, with nothing lost.
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fingerprint } from './folders.js';
import { project, RanksJob, ranksOf, startMstar } from './ranks-job.js';

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

  test('as an evaluation writes the files of one process, and tells what each rank did', {
    timeout: 300_000,
  }, async () => {
    const problems = join(job.root, 'one/problems');
    const data = ['--data', join(problems, 'problems.json'), '--image-root', join(problems, 'data_images')];
    const sampling = ['--limit', '24', '--chunk', '4', '--max-tokens', '48', '--threads', '1'];
    const [one, two] = [1, 2].map(async (processes) => {
      const out = join(job.root, `evaluated-${processes}`);
      const words = ['evaluate', '--model', 'mstar:tiny', ...data, '--out', out, ...sampling];
      const { ended, output } = startMstar([...words, '--quiet', '--processes', String(processes)]);
      expect(await ended).toEqual({ code: 0, text: '' });
      return { files: fingerprint(out), output: output() };
    });
    expect((await two)?.files).toEqual((await one)?.files);
    expect((await one)?.output).not.toContain('rank 1');
    expect((await two)?.output).toMatch(
      /^rank 1 \(process \d+ on \S+\): [1-9]\d* tokens decoded .*% .*waiting, .* GiB/m,
    );
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

describe('mstar distributed check', () => {
  const check = ['distributed', 'check', '--processes', '2', '--json'];

  test('measures exchanges and finds every rank to compute what one process does', { timeout: 120_000 }, async () => {
    const { ended, output } = startMstar(check);
    expect(await ended).toEqual({ code: 0, text: '' });
    const { exchanges, ranks, trainsAlike, same } = JSON.parse(output());
    expect(exchanges).toHaveLength(6);
    for (const { gigabytesPerSecond } of exchanges) expect(gigabytesPerSecond).toBeGreaterThan(0);
    expect(ranks.map(({ differs }: { differs: string[] }) => differs)).toEqual([[], []]);
    expect({ trainsAlike, same }).toEqual({ trainsAlike: true, same: true });
  });

  test('ends with 1 and names the rank that computes something else', { timeout: 120_000 }, async () => {
    const { ended, output } = startMstar(check, {
      NODE_OPTIONS: `--import ${pathToFileURL(join(project, 'test/fakes/fail-at.mjs')).href}`,
      MSTAR_TEST_FAIL: JSON.stringify({ what: 'alter', rank: 1, place: 'logprobs' }),
    });
    expect(await ended).toEqual({ code: 1, text: '' });
    const { ranks, same } = JSON.parse(output());
    expect(same).toBe(false);
    expect(ranks[0].differs).toEqual([]);
    expect(ranks[1].name).toMatch(/^rank 1 /);
    expect(ranks[1].differs).toEqual(['log-probabilities', 'log-probabilities after a step']);
  });

  test('refuses ranks of another secret at once, on every rank', { timeout: 60_000 }, async () => {
    const began = performance.now();
    const port = String(20_000 + (process.pid % 20_000));
    const both = ['a secret', 'another'].map((secret, rank) =>
      startMstar(['distributed', 'check'], {
        ...{ RANK: String(rank), LOCAL_RANK: String(rank), WORLD_SIZE: '2', MASTER_ADDR: '127.0.0.1' },
        ...{ MASTER_PORT: port, MSTAR_SECRET: secret },
      }),
    );
    for (const { ended } of both) {
      const { code, text } = await ended;
      expect(text).toContain('error: MSTAR_SECRET: on rank 1 another text than on rank 0');
      expect(code).toBe(1);
    }
    expect(performance.now() - began).toBeLessThan(55_000);
  });
});
