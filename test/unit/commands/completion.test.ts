// Completion of the command line: the script for a shell, and what it asks the program for.
import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { completionShell } from '../../../src/commands/line.js';

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
    const script = mstar('completion', '--shell', 'bash');
    expect(script).toContain('complete -o bashdefault');
    expect(spawnSync('bash', ['-n'], { input: script, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
  });

  it('gets the script of zsh where it is that shell, or asks for it', () => {
    expect(mstar('completion', '--shell=zsh')).toContain('#compdef mstar');
  });

  it('is refused a script that there is none of', () => {
    const fish = spawnSync(process.execPath, [cli, 'completion', '--shell', 'fish'], { encoding: 'utf8' });
    expect([fish.status, fish.stdout, fish.stderr]).toEqual([
      1,
      '',
      'error: completion: --shell: fish has no script, wanted --shell bash or --shell zsh\n',
    ]);
  });

  it.each([
    [[], '/usr/bin/zsh', 'zsh'],
    [[], '/bin/bash', 'bash'],
    [[], '/bin/sh', 'bash'],
    [[], undefined, 'bash'],
    [['--shell', 'bash'], '/usr/bin/fish', 'bash'],
  ])('with the words %j and the shell %s is given that of %s', (words, own, shell) => {
    expect(completionShell(words, own)).toBe(shell);
  });

  it.each([
    [[], '/usr/bin/fish', 'completion: $SHELL: fish has no script'],
    [['fish'], '/bin/bash', 'completion: fish: not understood'],
    [['--shell'], '/bin/bash', 'completion: --shell: not understood'],
    [['--shell', 'zsh', 'x'], '/bin/bash', 'completion: --shell zsh x: not understood'],
  ])('with the words %j and the shell %s is refused', (words, own, message) => {
    expect(() => completionShell(words, own)).toThrow(message);
  });
});
