// A rank of a native job that is killed, stopped, hangs, throws or has no disk left, in each kind of work: the job ends with one line and
// code 75, no process stays, and the next command, with another number of ranks, goes on to the bytes of one process.
// MSTAR_TEST_LONG=1 tries all cases instead of a share; MSTAR_TEST_KILLS=N kills at N random moments (MSTAR_TEST_SEED).
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { project, RanksJob, ranksOf } from './ranks-job.js';

const whats = ['kill', 'stop', 'hang', 'throw'] as const;
const places = ['rollout', 'trainStep', 'save'] as const;
const preload = pathToFileURL(join(project, 'test/fakes/fail-at.mjs')).href;
const isLong = process.env.MSTAR_TEST_LONG === '1';
const kills = Number(process.env.MSTAR_TEST_KILLS ?? 0);

/** What the one line says, after the name of the rank. */
const causes = {
  kill: /was ended by SIGKILL/,
  stop: /has not been heard of for \d+ s/,
  hang: /has not got on for \d+ s/,
  throw: /: a fault that the test made/,
  full: /: cannot write: File too large/,
};

let job: RanksJob;

beforeAll(async () => {
  job = new RanksJob({ run: { chunk: 1 } });
  expect(await job.start('one', 1).ended).toEqual({ code: 0, text: '' });
}, 300_000);
afterAll(() => job.remove());

/** Runs until the rank fails; gives the seconds that the job took to end after it. */
async function failOnce(name: string, ranks: number, what: keyof typeof causes, rank: number, place: string) {
  const marker = join(job.root, 'marker');
  for (const file of [marker, `${marker}.done`]) rmSync(file, { force: true });
  const { child, ended } = job.start(name, ranks, {
    NODE_OPTIONS: `--import ${preload}`,
    MSTAR_TEST_FAIL: JSON.stringify({ what, rank, place, marker }),
    MSTAR_SILENCE: '3',
    MSTAR_STALL: '5',
  });
  while (ranksOf(child).size < ranks) await pause(5);
  const pids = [...ranksOf(child).values()];
  const { code, text } = await ended;
  const end = Date.now();
  const lines = text.split('\n').filter(Boolean);
  expect(lines, text).toHaveLength(1);
  expect(lines[0]).toMatch(new RegExp(`rank ${rank} \\(process \\d+ on ${hostname()}\\)`));
  expect(lines[0]).toMatch(causes[what]);
  expect(code).toBe(75);
  const seconds = (end - Number(readFileSync(`${marker}.done`, 'utf8'))) / 1000;
  expect(pids.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
  return seconds;
}

describe('a job that loses a rank', () => {
  const all = places.flatMap((place) => [0, 1].flatMap((rank) => whats.map((what) => ({ what, rank, place }))));
  // At once after the ranks have joined, when those who came first have hardly heard of this one.
  const first = { what: 'stop', rank: 0, place: 'watch' } as const;
  const last = { what: 'full', rank: 1, place: 'save' } as const;
  // Each way to fail on either rank, each in another place: all pairs of two are among them. And the one after which the others
  // wait for a rank that knows why it does not come.
  const share = all.filter(
    ({ what, rank, place }) =>
      (whats.indexOf(what) + rank) % 3 === places.indexOf(place) ||
      (what === 'throw' && rank === 0 && place === 'trainStep'),
  );

  test('ends with one line that names rank, machine and cause, and goes on with another number of ranks', {
    timeout: 1_200_000,
  }, async () => {
    const took: string[] = [];
    for (const [i, { what, rank, place }] of [first, ...(isLong ? all : share), last].entries()) {
      const ranks = 2 + (i % 2);
      const seconds = await failOnce('lost', ranks, what, rank, place);
      took.push(`${what} rank ${rank} of ${ranks} in ${place}: ${seconds.toFixed(1)} s`);
      expect(seconds, took.at(-1)).toBeLessThan(30);
    }
    if (isLong) console.log(took.join('\n'));
    expect(await job.start('lost', 2).ended).toEqual({ code: 0, text: '' });
    expect(job.files('lost')).toEqual(job.files('one'));
  });

  test.skipIf(kills === 0)(
    'goes on after kills at random moments with 2 and 3 ranks, to the same bytes',
    { timeout: 0 },
    async () => {
      const random = generator(Number(process.env.MSTAR_TEST_SEED ?? 1));
      let [killed, finished] = [0, 0];
      while (killed < kills) {
        const name = `kills-${finished}`;
        const ranks = 2 + Math.floor(random() * 2);
        const { child, ended } = job.start(name, ranks);
        // One in four while it starts, the others while it works.
        const moment = random() < 0.25 ? pause(random() * 5000) : job.works(name).then(() => pause(random() * 8000));
        const end = await Promise.race([ended, moment]);
        if (!end) {
          const all = [...ranksOf(child).values()];
          const victim = all[Math.floor(random() * all.length)];
          if (victim !== undefined) process.kill(victim, 'SIGKILL');
          if ((await ended).code === 75) killed++;
          console.log(`${killed} of ${kills} killed, ${finished} runs finished with equal bytes`);
        } else {
          expect(end).toEqual({ code: 0, text: '' });
          expect(job.files(name)).toEqual(job.files('one'));
          finished++;
        }
      }
      const name = `kills-${finished}`;
      expect(await job.start(name, 2).ended).toEqual({ code: 0, text: '' });
      expect(job.files(name)).toEqual(job.files('one'));
      console.log(`${killed} kills, ${finished + 1} runs finished with equal bytes`);
    },
  );
});

/** Numbers in 0..1 from a seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
