// Completion of the command line: the script for a shell, and what it asks the program for.
import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const cli = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));
const mstar = (...words: string[]): string => execFileSync(process.execPath, [cli, ...words], { encoding: 'utf8' });
const completed = (...words: string[]): string[] =>
  mstar('--get-yargs-completions', 'mstar', ...words)
    .trim()
    .split('\n');

describe('a shell that completes', () => {
  it('finds verbs, flags of a verb and the values of a flag', () => {
    expect(completed('ev')).toEqual(expect.arrayContaining(['evolve', 'evaluate']));
    expect(completed('evolve', '--')).toEqual(expect.arrayContaining(['--preset', '--gpus']));
    expect(completed('check', '--device', '')).toEqual(['cpu', 'cuda']);
  });

  it('gets a script that bash can read', () => {
    const script = mstar('completion');
    expect(script).toContain('complete -o bashdefault');
    expect(spawnSync('bash', ['-n'], { input: script, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
  });
});
