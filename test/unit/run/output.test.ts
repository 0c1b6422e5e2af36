import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkOutput, checkOutputFolder, isStandardOutput, writeOutput } from '../../../src/run/output.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'mstar-output-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const at = (name: string): string => join(dir, name);
const put = (path: string, others: readonly string[] = []): Promise<void> =>
  writeOutput({ flag: '--out', path, others }, async (sink) => {
    await sink('one ');
    await sink(Buffer.from('two'));
  });

describe('an output', () => {
  test('becomes a file, with the folders above it', async () => {
    await put(at('a/b/out.txt'));
    expect(readFileSync(at('a/b/out.txt'), 'utf8')).toBe('one two');
    expect(readdirSync(at('a/b'))).toEqual(['out.txt']);
  });

  test('replaces a file, whose permissions stay, and leaves its neighbours', async () => {
    writeFileSync(at('out'), 'old');
    chmodSync(at('out'), 0o640);
    for (const name of ['out.aside', 'out.part']) writeFileSync(at(name), 'mine');
    await put(at('out'));
    expect(readFileSync(at('out'), 'utf8')).toBe('one two');
    expect(statSync(at('out')).mode & 0o777).toBe(0o640);
    for (const name of ['out.aside', 'out.part']) expect(readFileSync(at(name), 'utf8')).toBe('mine');
  });

  test('that fails leaves the old file and nothing else', async () => {
    writeFileSync(at('out'), 'old');
    const failing = writeOutput({ flag: '--out', path: at('out') }, async (sink) => {
      await sink('half');
      throw new Error('no more');
    });
    await expect(failing).rejects.toThrow('no more');
    expect(readdirSync(dir)).toEqual(['out']);
    expect(readFileSync(at('out'), 'utf8')).toBe('old');
  });

  test('goes into a pipe and through a link to one, which both stay', async () => {
    expect(spawnSync('mkfifo', [at('pipe')]).status).toBe(0);
    symlinkSync(at('pipe'), at('link'));
    for (const name of ['pipe', 'link']) {
      const read = readFile(at('pipe'), 'utf8');
      await put(at(name));
      expect(await read).toBe('one two');
    }
    expect(lstatSync(at('pipe')).isFIFO()).toBe(true);
    expect(lstatSync(at('link')).isSymbolicLink()).toBe(true);
  });

  // Only the super-user makes devices.
  const device = (path: string): boolean => spawnSync('mknod', [path, 'c', '1', '3']).status === 0;
  test('goes into a device, which stays one', async ({ skip }) => {
    if (!device(at('null'))) skip();
    await put(at('null'));
    expect(lstatSync(at('null')).isCharacterDevice()).toBe(true);
    expect(readdirSync(dir)).toEqual(['null']);
  });

  test('of this process is known by its name', () => {
    const names = ['/dev/stdout', '/dev/fd/1', '/proc/self/fd/1', '/dev/stderr', '/dev/null', at('stdout')];
    expect(names.map(isStandardOutput)).toEqual([true, true, true, false, false, false]);
  });
});

describe('an output is refused', () => {
  test.each<[string, (path: string) => void, string]>([
    ['at a folder', mkdirSync, 'a folder, wanted a file'],
    ['at a link to a file', (path) => symlinkSync(at('input'), path), 'wanted that file itself, or another one'],
    ['at a link to nothing', (path) => symlinkSync(at('absent'), path), `a link to ${'DIR'}/absent, wanted`],
    ['at a second name of an input', (path) => linkSync(at('input'), path), 'also read or written by this command'],
  ])('%s', async (_, make, message) => {
    writeFileSync(at('input'), 'data');
    make(at('out'));
    await expect(put(at('out'), [at('input')])).rejects.toThrow(message.replace('DIR', dir));
    expect(readFileSync(at('input'), 'utf8')).toBe('data');
  });

  test('at an input, at another output and without a name', async () => {
    writeFileSync(at('input'), 'data');
    const refused = '--out: '.concat(at('input'), ': also read or written by this command, wanted another file');
    await expect(put(join(dir, 'x', '..', 'input'), [at('input')])).rejects.toThrow('wanted another file');
    await expect(put(at('input'), [at('input')])).rejects.toThrow(refused);
    await expect(put(at('new'), [at('new')])).rejects.toThrow('wanted another file');
    await expect(put('')).rejects.toThrow('--out: empty, wanted a file');
    await expect(put(at('new/'))).rejects.toThrow('a folder, wanted a file');
  });

  describe('inside a run', () => {
    beforeEach(() => {
      mkdirSync(at('run/rollouts'), { recursive: true });
      for (const name of ['config.yaml', 'journal.jsonl']) writeFileSync(at(`run/${name}`), 'kept');
    });

    test.each([
      'config.yaml',
      'journal.jsonl',
      'rollouts/mine.json',
      'checkpoints/x/y.json',
      'report.html',
      'labels.jsonl',
    ])('at %s', async (name) => {
      const [owned] = name.split('/');
      await expect(put(at(`run/${name}`))).rejects.toThrow(
        `${owned} belongs to the run ${dir}/run, wanted another place`,
      );
      expect(readdirSync(at('run')).sort()).toEqual(['config.yaml', 'journal.jsonl', 'rollouts']);
    });

    test('through a link to its folder', async () => {
      symlinkSync(at('run'), at('link'));
      symlinkSync(at('run/rollouts'), at('tables'));
      await expect(checkOutputFolder({ flag: '--out', path: at('tables') })).rejects.toThrow('belongs to the run');
      await expect(put(at('link/config.yaml'))).rejects.toThrow('config.yaml belongs to the run');
      await expect(checkOutputFolder({ flag: '--out', path: at('link/rollouts') })).rejects.toThrow(
        'belongs to the run',
      );
    });

    test('but not under another name, nor what a run may hold by the command that makes it', async () => {
      await put(at('run/export.jsonl'));
      await checkOutput({ flag: '--out', path: at('run/prm.json'), ofRun: true });
      await checkOutputFolder({ flag: '--out', path: at('run') });
    });
  });

  test('as a folder where a file is', async () => {
    writeFileSync(at('file'), '');
    await expect(checkOutputFolder({ flag: '--out', path: at('file') })).rejects.toThrow('not a folder, wanted one');
  });
});
