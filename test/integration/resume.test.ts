// A run that is killed, stopped or damaged and started again ends with the bytes of an undisturbed one.
// The engine is a simulated learner with optimizer state and rounding checkpoints; see test/fakes.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { packageRoot } from '../../src/config/presets.js';
import type { ConfigInput } from '../../src/config/schema.js';
import { random } from '../../src/core/random.js';
import { evolve } from '../../src/jobs/jobs.js';
import { fakeHost } from '../fakes/host.js';
import { fingerprint } from './folders.js';
import { smallRecipe } from './recipe.js';

const project = fileURLToPath(new URL('../..', import.meta.url));
const built = join(project, 'node_modules/.cache/mstar-test');
let root: string;
let undisturbed: Record<string, string>;

beforeAll(async () => {
  execFileSync(process.execPath, [
    join(project, 'node_modules/typescript/bin/tsc'),
    ...['-p', join(project, 'test/integration'), '--outDir', built],
  ]);
  // The sources import from it.
  if (!existsSync(join(built, 'scripts'))) symlinkSync(join(project, 'scripts'), join(built, 'scripts'));
  root = mkdtempSync(join(tmpdir(), 'mstar-resume-'));
  await evolve(smallRecipe(root, 'undisturbed'), { host: fakeHost() });
  undisturbed = fingerprint(join(root, 'undisturbed'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function start(name: string, delayMs: number): ChildProcess {
  const child = join(built, 'test/integration/child.js');
  return spawn(process.execPath, [child, root, name, String(delayMs)], { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Exit code or signal, and what was written to stderr. */
async function ended(child: ChildProcess): Promise<{ end: number | string; text: string }> {
  let text = '';
  child.stderr?.on('data', (piece) => (text += piece));
  const end = await new Promise<number | string>((resolve) =>
    child.on('close', (code, signal) => resolve(code ?? signal ?? '')),
  );
  return { end, text };
}

function commits(name: string): number {
  const journal = join(root, name, 'journal.jsonl');
  return existsSync(journal)
    ? readFileSync(journal, 'utf8')
        .split('\n')
        .filter((line) => line.includes('"commit"')).length
    : 0;
}

describe('a run', () => {
  test.each([1, 2, 3])('killed at random moments (seed %i) ends with the bytes of an undisturbed one', async (seed) => {
    const name = `killed-${seed}`;
    const moments = random(seed, 'kills');
    let kills = 0;
    for (let round = 0; round < 8; round++) {
      const child = start(name, 1);
      const timer = setTimeout(() => child.kill('SIGKILL'), 500 + moments.uniform(round) * 1200);
      const { end, text } = await ended(child);
      clearTimeout(timer);
      if (end === 0) break;
      expect(end, text).toBe('SIGKILL');
      kills++;
    }
    const { end, text } = await ended(start(name, 0));
    expect(end, text).toBe(0);
    expect(kills).toBeGreaterThanOrEqual(2);
    expect(fingerprint(join(root, name))).toEqual(undisturbed);
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGXCPU', 152],
  ] as const)('asked to stop by %s ends with %i and goes on to the same bytes', async (signal, code) => {
    const child = start(signal, 2);
    const waiting = setInterval(() => {
      if (commits(signal) < 2) return;
      child.kill(signal);
      clearInterval(waiting);
    }, 20);
    const { end, text } = await ended(child);
    expect(end, text).toBe(code);
    expect(text).toMatch(/^stopped$/m);
    expect(commits(signal)).toBeLessThan(commits('undisturbed'));
    expect((await ended(start(signal, 0))).end).toBe(0);
    expect(fingerprint(join(root, signal))).toEqual(undisturbed);
  });

  test('passes over a damaged checkpoint, says so, and repeats what came after the one before', async () => {
    cpSync(join(root, 'undisturbed'), join(root, 'damaged'), { recursive: true });
    const weights = join(root, 'damaged/checkpoints/iter-0003/model.json');
    writeFileSync(weights, readFileSync(weights, 'utf8').replace(/\d/, '9'));
    const said: string[] = [];
    const display = { show() {}, say: (text: string) => said.push(text), close() {} };
    await evolve(smallRecipe(root, 'damaged'), { host: fakeHost(), display });
    expect(said.join('\n')).toContain('passed over checkpoints/iter-0003: model.json: differs from its SHA-256');
    expect(said).toContain('going back to test-iter-0002');
    expect(fingerprint(join(root, 'damaged'))).toEqual(undisturbed);
  });

  test('cuts off what lies beyond the last commit: half a line, files and checkpoints that no commit names', async () => {
    cpSync(join(root, 'undisturbed'), join(root, 'littered'), { recursive: true });
    const run = join(root, 'littered');
    appendFileSync(join(run, 'journal.jsonl'), '{"event":"step","phase":"iter-0004","lo');
    writeFileSync(join(run, 'rollouts/iter-0004.parquet'), 'half');
    writeFileSync(join(run, 'rollouts/iter-0005.parquet.aside'), 'half');
    cpSync(join(run, 'checkpoints/iter-0003'), join(run, 'checkpoints/iter-0004'), { recursive: true });
    await evolve(smallRecipe(root, 'littered'), { host: fakeHost() });
    expect(fingerprint(run)).toEqual(undisturbed);
  });

  test('that is done opens no model again', async () => {
    const host = {
      openPolicy: () => Promise.reject(new Error('opened')),
      openScorer: () => Promise.reject(new Error('opened')),
    };
    const summary = await evolve(smallRecipe(root, 'undisturbed'), { host });
    expect(Object.keys(summary.test)).toEqual(['base', 'warmup', 'iter-0001', 'iter-0002', 'iter-0003']);
    expect(fingerprint(join(root, 'undisturbed'))).toEqual(undisturbed);
  });

  test('reached through a link ends with the same bytes', async () => {
    mkdirSync(join(root, 'behind'));
    symlinkSync(join(root, 'behind'), join(root, 'link'));
    await evolve(smallRecipe(root, 'link'), { host: fakeHost() });
    expect(fingerprint(join(root, 'behind'))).toEqual(undisturbed);
  });

  test('goes on with the threads it began with where none are set, and with others and less memory where that is the same', async () => {
    const recipe = smallRecipe(root, 'moved');
    const { path } = recipe.model;
    await evolve({ ...recipe, model: { path } }, { host: fakeHost(), until: 'warmup' });
    const file = join(root, 'moved/config.yaml');
    const kept = readFileSync(file, 'utf8').replace(/threads: \d+/, 'threads: 77');
    writeFileSync(file, kept);
    await evolve({ ...recipe, model: { path, kvGib: 0.5 } }, { host: fakeHost(), until: 'label' });
    await evolve({ ...recipe, model: { path, threads: 3, recompute: 'always' } }, { host: fakeHost(), until: 'label' });
    expect(readFileSync(file, 'utf8')).toBe(kept);
    const refused = async (change: Partial<ConfigInput>): Promise<string> =>
      evolve({ ...recipe, model: { path }, ...change }, { host: fakeHost() }).then(String, ({ message }) => message);
    expect(await refused({ model: { path, tokenBudget: 9 } })).toContain(
      'model.tokenBudget: 9 now, wanted 16384 as in the run it holds: the sums of an optimizer step depend on it; kvGib may change',
    );
    expect(await refused({ run: { ...recipe.run, chunk: 4 } })).toContain(': the PRM scores the responses of a chunk');
  });

  test('of before some settings goes on where they are at their defaults', async () => {
    const { evolve: settings, ...recipe } = smallRecipe(root, 'older');
    const run = (change: object = {}) =>
      evolve({ ...recipe, evolve: { ...settings, ...change } }, { host: fakeHost() });
    cpSync(join(root, 'undisturbed'), join(root, 'older'), { recursive: true });
    const file = join(root, 'older/config.yaml');
    const config = parseDocument(readFileSync(file, 'utf8'));
    for (const setting of ['warmup.optimizer.moments', 'evolve.grpo', 'test.every', 'prm.enabled', 'model.offload'])
      expect(config.deleteIn(setting.split('.'))).toBe(true);
    writeFileSync(file, config.toString());
    const before = fingerprint(join(root, 'older'));
    await run();
    expect(fingerprint(join(root, 'older'))).toEqual(before);
    await expect(run({ grpo: { kl: 0.1 } })).rejects.toThrow(
      'evolve.grpo.kl: 0.1 now, wanted not set as in the run it holds: before there was the setting, runs did as with 0 (or',
    );
  });

  test.each([
    ['warmup.repeats', 'keep'],
    ['evolve.select.repeats', 'keep'],
    ['evolve.sft.on', 'answers'],
  ])('of before the setting %s is refused as it is, as the default would change its bytes', async (setting, value) => {
    const from = join(root, `before-${setting}`);
    cpSync(join(root, 'undisturbed'), from, { recursive: true });
    const file = join(from, 'config.yaml');
    const config = parseDocument(readFileSync(file, 'utf8'));
    expect(config.deleteIn(setting.split('.'))).toBe(true);
    writeFileSync(file, config.toString());
    const before = fingerprint(from);
    await expect(evolve(smallRecipe(root, `before-${setting}`), { host: fakeHost() })).rejects.toThrow(
      `${file}: ${setting}: "${value}" now, wanted not set as in the run it holds`,
    );
    expect(fingerprint(from)).toEqual(before);
    // Its warm-up is not shared either, where that would be another now.
    if (setting === 'warmup.repeats')
      await expect(evolve(smallRecipe(root, 'shared-before'), { host: fakeHost(), from })).rejects.toThrow(
        `${from}: ${setting}: another value, wanted the same in both runs`,
      );
  });

  test('keeps a path into this package as it was written, and knows it from a run that kept it absolute', async () => {
    const recipe = smallRecipe(root, 'inside');
    const model = { path: 'mstar:assets/tiny-internvl2', threads: 1 };
    const opened: string[] = [];
    const host = {
      ...fakeHost(),
      openPolicy: (dir: string) => {
        opened.push(dir);
        return fakeHost().openPolicy(recipe.model.path);
      },
    };
    await evolve({ ...recipe, model }, { host, until: 'warmup' });
    const file = join(root, 'inside/config.yaml');
    const kept = readFileSync(file, 'utf8');
    expect(kept).toContain('path: mstar:assets/tiny-internvl2\n');
    expect(opened[0]).toBe(join(packageRoot, 'assets/tiny-internvl2'));
    writeFileSync(file, kept.replace('mstar:', `${packageRoot}/`));
    await evolve({ ...recipe, model }, { host, until: 'warmup' });
  });

  test('may be done stage by stage', async () => {
    for (const stage of ['warmup', 'label', 'train-prm', 'evolve'] as const) {
      await evolve(smallRecipe(root, 'staged'), { host: fakeHost(), until: stage });
    }
    expect(fingerprint(join(root, 'staged'))).toEqual(undisturbed);
  });

  test('leaves nothing of its own but what the documentation lists', () => {
    const names = readdirSync(join(root, 'undisturbed')).sort();
    expect(names).toEqual([
      'checkpoints',
      'config.yaml',
      'journal.jsonl',
      'labels.jsonl',
      'prm-held-out.jsonl',
      'problems',
      'rollouts',
      'splits.json',
      'summary.json',
      'timings.json',
      'work',
    ]);
    expect(readdirSync(join(root, 'undisturbed/work'))).toEqual([]);
  });
});
