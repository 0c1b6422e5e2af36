// A small recipe over several processes, as a command line that a test starts, watches and compares with one process.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import type { Config } from '../../src/config/schema.js';
import { fingerprint } from './folders.js';

export const project = fileURLToPath(new URL('../..', import.meta.url));
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

export interface Started {
  readonly child: ChildProcess;
  /** `text`: standard error. */
  readonly ended: Promise<{ readonly code: number | null; readonly text: string }>;
  output(): string;
}

/** The built command line in a process group of its own, as a terminal gives a command. */
export function startMstar(words: readonly string[], environment: NodeJS.ProcessEnv = {}): Started {
  const child = spawn(process.execPath, [join(project, 'dist/cli.js'), ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: { ...process.env, ...environment },
  });
  const texts = { output: '', text: '' };
  child.stdout.on('data', (piece) => {
    texts.output += piece;
  });
  child.stderr.on('data', (piece) => {
    texts.text += piece;
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, text: texts.text }));
  return { child, ended, output: () => texts.output };
}

/** The runs of one recipe, each in a folder of its own. */
export class RanksJob {
  readonly root = mkdtempSync(join(tmpdir(), 'mstar-ranks-'));
  readonly #config = join(this.root, 'recipe.yaml');

  /** @param settings of the recipe in place of those of the same name */
  constructor(settings: Partial<Record<keyof Config, object>> = {}) {
    writeFileSync(this.#config, stringify({ ...recipe, ...settings }));
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  start(name: string, processes: number, environment: NodeJS.ProcessEnv = {}): Started {
    const settings = ['--config', this.#config, '--set', `run.dir=${join(this.root, name)}`];
    return startMstar(['evolve', ...settings, '--processes', String(processes), '--quiet'], environment);
  }

  /** Files of a run by their contents, but for the reports, which hold the clock. */
  files(name: string): [file: string, digest: string][] {
    return Object.entries(fingerprint(join(this.root, name))).filter(([file]) => !/^report\.(html|md)$/.test(file));
  }

  /** Waits until the command that was just started changes the journal or the units of its run. */
  async works(name: string): Promise<void> {
    const began = Date.now();
    const changed = (path: string): boolean => existsSync(path) && statSync(path).mtimeMs > began;
    const run = join(this.root, name);
    const work = join(run, 'work');
    const folders = (): string[] => (existsSync(work) ? readdirSync(work).map((phase) => join(work, phase)) : []);
    const isOver = (): boolean => Date.now() - began > 300_000;
    while (!isOver() && ![join(run, 'journal.jsonl'), ...folders()].some(changed)) await pause(20);
  }

  /** Waits until the run has kept a unit of the phase, so that all ranks are at work. */
  async atWork(name: string, phase: string): Promise<void> {
    const folder = join(this.root, name, 'work', phase);
    while (!existsSync(folder) || readdirSync(folder).length === 0) await pause(20);
  }
}

/** Process numbers of the ranks that `supervisor` has started, by rank. */
export function ranksOf({ pid }: ChildProcess): Map<number, number> {
  const ranks = new Map<number, number>();
  for (const child of readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)) {
    let environment = '';
    try {
      environment = readFileSync(`/proc/${child}/environ`, 'utf8');
    } catch {
      // It has ended since.
    }
    const rank = /(?:^|\0)RANK=(\d+)/.exec(environment)?.[1];
    if (rank !== undefined) ranks.set(Number(rank), Number(child));
  }
  return ranks;
}
