import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hasCommitted, journalHead } from '../../../src/run/journal.js';

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'mstar-head-'));
  path = join(dir, 'journal.jsonl');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const line = (event: string, phase: string) => `${JSON.stringify({ event, phase, text: 'ä' })}\n`;
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
