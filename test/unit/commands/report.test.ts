// mstar report: which run it takes.
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import command from '../../../src/commands/report.js';

const before = process.cwd();
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mstar-report-command-'));
  process.chdir(root);
});
afterEach(() => {
  vi.restoreAllMocks();
  process.chdir(before);
  rmSync(root, { recursive: true, force: true });
});

/** A run that has done nothing yet, last worked on at this second. */
function writeRun(dir: string, second: number): void {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'config.yaml'), 'seed: 1\n');
  writeFileSync(join(dir, 'journal.jsonl'), '');
  utimesSync(join(dir, 'journal.jsonl'), second, second);
}

async function report(run?: string): Promise<string> {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  await command.handler({ run, json: false, quiet: false, _: [], $0: '' });
  return String(write.mock.calls[0]?.[0]);
}

test('the run that was worked on last is taken where none is named', async () => {
  writeRun('runs/older', 1000);
  writeRun('runs/newer', 3000);
  writeRun('runs/old', 2000);
  mkdirSync('runs/no-run');
  expect(await report()).toBe('runs/newer/report.html\n');
});

test('a named run is taken wherever it lies', async () => {
  writeRun('elsewhere', 1000);
  writeRun('runs/newer', 3000);
  expect(await report('elsewhere')).toBe('elsewhere/report.html\n');
});

test('without any run the refusal says what to name', async () => {
  await expect(report()).rejects.toThrow(/^runs: run: none found, wanted .*mstar report <run>/);
});
