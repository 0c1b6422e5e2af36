// The command line over several processes with the native engine: the bytes are those of one process, and the loss of a
// rank ends the job at once, with nothing lost.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { fingerprint } from './folders.js';

const project = fileURLToPath(new URL('../..', import.meta.url));
const optimizer = { lr: 1e-4, batchSize: 8 };
const recipe = {
  run: { chunk: 8 },
  model: { path: join(project, 'assets/tiny-internvl2'), threads: 1 },
  prompt: { system: 'Solve.', givenAnswer: '{question}\nThe answer is {answer}.' },
  data: { generate: { count: 120 } },
  splits: { validation: 16, test: 24, labelled: 0.6 },
  sampling: { maxTokens: 96 },
  warmup: { problems: 32, samples: 4, maxPerProblem: 1, optimizer },
  prm: { problems: 32, samples: 8, pairs: 24, completions: 4, optimizer },
  evolve: { iterations: 1, interval: 24, n: 8, optimizer },
  dynamics: { samples: 4, temperatures: [1] },
  test: { samples: 4 },
};

let root: string;
let config: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'mstar-ranks-'));
  config = join(root, 'recipe.yaml');
  writeFileSync(config, stringify(recipe));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly text: string }>;
}

function start(name: string, processes: number, environment: NodeJS.ProcessEnv = {}): Started {
  const flags = [
    '--config',
    config,
    '--set',
    `run.dir=${join(root, name)}`,
    '--processes',
    String(processes),
    '--quiet',
  ];
  const child = spawn(process.execPath, [join(project, 'dist/cli.js'), 'evolve', ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // A process group of its own, as a terminal gives a command.
    detached: true,
    env: { ...process.env, ...environment },
  });
  let text = '';
  child.stderr.on('data', (piece) => {
    text += piece;
  });
  return { child, ended: once(child, 'close').then(([code]) => ({ code: code as number | null, text })) };
}

/** Files of a run by their contents, but for the reports, which hold the clock. */
function files(name: string) {
  return Object.entries(fingerprint(join(root, name))).filter(([file]) => !/^report\.(html|md)$/.test(file));
}

/** Process numbers of the ranks that `supervisor` has started, by rank. */
function ranksOf({ pid }: ChildProcess): Map<number, number> {
  const ranks = new Map<number, number>();
  for (const child of readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)) {
    const rank = /(?:^|\0)RANK=(\d+)/.exec(readFileSync(`/proc/${child}/environ`, 'utf8'))?.[1];
    if (rank !== undefined) ranks.set(Number(rank), Number(child));
  }
  return ranks;
}

/** Waits until the run has kept a unit of the phase, so that all ranks are at work. */
async function atWork(name: string, phase: string): Promise<void> {
  const folder = join(root, name, 'work', phase);
  while (!existsSync(folder) || readdirSync(folder).length === 0) await pause(20);
}

describe('a recipe over several processes', () => {
  test('leaves the bytes of one process', { timeout: 300_000 }, async () => {
    expect(await start('one', 1).ended).toEqual({ code: 0, text: '' });
    expect(await start('two', 2).ended).toEqual({ code: 0, text: '' });
    expect(files('two')).toEqual(files('one'));
  });

  test.each([
    ['killed', 1, 'SIGKILL', /rank 1 .*(ended|cannot be reached)/],
    ['stopped', 2, 'SIGSTOP', /rank 2 \(process \d+ on \S+\) has not been heard of for \d+ s/],
    ['killed', 0, 'SIGKILL', /rank 0 was ended by SIGKILL/],
  ] as const)(
    'ends with 75 and one line where a rank is %s (rank %i), and goes on with another number of them',
    { timeout: 300_000 },
    async (what, rank, signal, line) => {
      const name = `${what}-${rank}`;
      const { child, ended } = start(name, 3, { MSTAR_SILENCE: '3' });
      await atWork(name, 'warmup');
      const ranks = ranksOf(child);
      process.kill(ranks.get(rank) as number, signal);
      const { code, text } = await ended;
      expect(text).toMatch(line);
      expect(code).toBe(75);
      for (const pid of ranks.values()) expect(existsSync(`/proc/${pid}`)).toBe(false);
      expect(await start(name, 2).ended).toEqual({ code: 0, text: '' });
      expect(files(name)).toEqual(files('one'));
    },
  );

  test.each(['SIGINT', 'SIGHUP', 'SIGTERM'] as const)(
    'stops at a safe point where a terminal sends %s to the whole process group, and goes on',
    { timeout: 300_000 },
    async (signal) => {
      const { child, ended } = start(signal, 2);
      await atWork(signal, 'warmup');
      const ranks = ranksOf(child);
      process.kill(-(child.pid as number), signal);
      expect(await ended).toEqual({ code: 128 + constants.signals[signal], text: expect.stringContaining('goes on') });
      for (const pid of ranks.values()) expect(existsSync(`/proc/${pid}`)).toBe(false);
      expect(await start(signal, 2).ended).toEqual({ code: 0, text: '' });
      expect(files(signal)).toEqual(files('one'));
    },
  );

  test('stopped before its ranks are there ends with the code of the signal', { timeout: 60_000 }, async () => {
    const { child, ended } = start('early', 2);
    while (ranksOf(child).size < 2) await pause(5);
    child.kill('SIGTERM');
    expect((await ended).code).toBe(143);
    expect(existsSync(join(root, 'early', 'journal.jsonl'))).toBe(false);
  });
});
