import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hasCommitted, Journal, journalHead } from '../../../src/run/journal.js';
import { readEvents } from '../../../src/views/run/read.js';
import { commit } from '../../fakes/journal.js';

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'mstar-head-'));
  path = join(dir, 'journal.jsonl');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const line = (event: string, phase: string, change: object = {}) =>
  `${JSON.stringify({ ...commit(phase, { text: 'ä' }), event, ...change })}\n`;
const [first, second] = [line('step', 'a') + line('commit', 'a'), line('step', 'b') + line('commit', 'b')];

test('the head of a journal ends with the last wanted commit at its start', async () => {
  writeFileSync(path, first + second + line('commit', 'a'));
  const { text, commits } = await journalHead(path, (phase) => phase === 'a');
  expect(text).toBe(first);
  expect(commits.map(({ phase }) => phase)).toEqual(['a']);
  expect((await journalHead(path, () => true)).text).toBe(first + second + line('commit', 'a'));
  expect((await journalHead(path, () => false)).text).toBe('');
});

test('a damaged or cut-off line ends it, and a journal that is not there has no head', async () => {
  writeFileSync(path, `${first}{"event": "com\n${second}`);
  expect((await journalHead(path, () => true)).text).toBe(first);
  expect([await hasCommitted(path, 'a'), await hasCommitted(path, 'b')]).toEqual([true, false]);
  writeFileSync(path, first + second.slice(0, -1));
  expect(await hasCommitted(path, 'b')).toBe(false);
  expect(await hasCommitted(join(dir, 'none'), 'a')).toBe(false);
});

test('a damaged line amid finished phases is refused by every reader, as going on from it would delete them', async () => {
  for (const damaged of ['{"event": "com', '', '\0\0', '{"event": 3}', 'null']) {
    writeFileSync(path, `${first}${damaged}\n${second}${line('step', 'c')}`);
    const message = `${path}:3: event: damaged, wanted`;
    await expect(Journal.open(path)).rejects.toThrow(message);
    await expect(journalHead(path, () => true)).rejects.toThrow(message);
    await expect(readEvents(dir)).rejects.toThrow(message);
    // What a crash can leave: nothing was written after the commit, which may not have been flushed.
    writeFileSync(path, `${first}${damaged}\n${second}{"event": "st`);
    expect((await readEvents(dir)).length).toBe(2);
  }
});

const mark = { bytes: 3, sha256: 'ab' };

test.each<[string, object, string]>([
  [
    'a file outside',
    { outputs: { '../x': mark } },
    'outputs.../x: {"bytes":3,"sha256":"ab"}, wanted a path inside the run folder',
  ],
  [
    'a file elsewhere',
    { outputs: { '/etc/x': mark } },
    'outputs./etc/x: {"bytes":3,"sha256":"ab"}, wanted a path inside the run folder',
  ],
  ['a folder in between', { outputs: { 'a/../../x': mark } }, 'wanted a path inside the run folder'],
  ['a path of another system', { outputs: { 'a\\..\\x': mark } }, 'wanted a path inside the run folder'],
  ['a checkpoint outside', { checkpoint: { name: 'iter-/../..', model: 'policy' } }, 'wanted a name without folders'],
  ['a checkpoint above', { checkpoint: { name: '..', model: 'policy' } }, 'wanted a name without folders'],
  ['an unknown model', { checkpoint: { name: 'iter-1', model: 'x' } }, 'checkpoint.model: "x", wanted "policy" or'],
  ['a file by its size alone', { outputs: { x: 3 } }, 'outputs.x: 3, wanted a value of type object'],
  ['no files', { outputs: null }, 'outputs: null, wanted a value of type object'],
])('a commit that names %s is refused with its line', async (_, change, message) => {
  writeFileSync(path, first + line('commit', 'b', change));
  await expect(journalHead(path, () => true)).rejects.toThrow(message);
  await expect(Journal.open(path)).rejects.toThrow(`${path}:3: `);
});
