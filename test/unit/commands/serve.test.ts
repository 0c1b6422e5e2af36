// What mstar serve refuses before it opens a model, one line each.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const cli = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));
let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'mstar-serve-command-'));
  writeFileSync(join(root, 'empty'), '\n');
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('mstar serve', () => {
  test.each([
    ['no model', [], /^error: model: missing, wanted mstar serve MODEL\n$/],
    ['a port that is none', ['m', '--port', '70000'], /^error: --port: 70000, wanted at most 65535\n$/],
    ['a queue without a place', ['m', '--max-queue', '0'], /^error: --max-queue: 0, wanted at least 1\n$/],
    [
      'an address for others without a key',
      ['m', '--host', '0.0.0.0'],
      /^error: --host: 0\.0\.0\.0, which other machines reach, and no API key, wanted --api-key FILE or MSTAR_API_KEY\n$/,
    ],
    ['a file without a key', ['m', '--api-key', 'empty'], /^error: .*empty: file: empty, wanted a key\n$/],
    [
      'an image root that is none',
      ['m', '--image-root', 'nowhere'],
      /^error: .*nowhere: image root: no such file, wanted a folder\n$/,
    ],
  ])('refuses %s', (_, words, message) => {
    const env = { ...process.env, MSTAR_API_KEY: '' };
    const { status, stderr } = spawnSync(process.execPath, [cli, 'serve', ...words], {
      cwd: root,
      encoding: 'utf8',
      env,
    });
    expect(stderr).toMatch(message);
    expect(status).toBe(1);
  });
});
