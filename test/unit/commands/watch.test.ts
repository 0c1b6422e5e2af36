// mstar watch and evolve --watch as programs: what they print, refuse and leave.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { step, tested, writeRun } from '../../fakes/journal.js';

const cli = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));
const watchModule = new URL('../../../dist/commands/watch.js', import.meta.url).href;
let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'mstar-watch-command-'));
  writeRun(join(root, 'runs/demo'), { seed: 1 }, [step('warmup'), tested('base', 0.4)]);
  mkdirSync(join(root, 'empty'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Its first line of output, which must be an address. */
async function addressOf(child: ChildProcess, output = child.stdout): Promise<string> {
  let text = '';
  for await (const piece of output as AsyncIterable<Buffer>) {
    text += piece;
    if (text.includes('\n')) break;
  }
  expect(text).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{32}\/\n/);
  return text.trim();
}

const ended = (child: ChildProcess): Promise<number | null> => new Promise((resolve) => child.on('exit', resolve));

describe('mstar watch', () => {
  test('prints the address of the newest run and ends well when it is asked to', async () => {
    const child = spawn(process.execPath, [cli, 'watch', '--port', '0'], { cwd: root });
    const end = ended(child);
    const url = await addressOf(child);
    const page = await (await fetch(url)).text();
    expect(page).toContain('<h1>demo</h1>');
    expect(page).toContain('40.0 %');
    child.kill('SIGTERM');
    expect(await end).toBe(0);
  });

  test('ends where the process that started it for itself left before it was ready', async () => {
    const stdio = ['ignore', 'pipe', 'inherit', 'ipc'] as const;
    const child = spawn(process.execPath, [cli, 'watch', 'runs/demo', '--port', '0'], { cwd: root, stdio: [...stdio] });
    const end = ended(child);
    child.disconnect();
    expect(await end).toBe(0);
  });

  test.each([
    ['a folder without a run', ['empty'], /^error: empty: run: no config\.yaml, wanted the folder of a run\n$/],
    [
      'a port that is none',
      ['runs/demo', '--port', '70000'],
      /^error: --port: 70000, wanted an integer from 0 to 65535\n$/,
    ],
    ['too many runs', Array.from('abcdefghi'), /^error: runs: 9, wanted 1 to 8 run folders\n$/],
    [
      'an address of another machine',
      ['runs/demo', '--host', '192.0.2.1', '--port', '0'],
      /^error: --host: 192\.0\.2\.1: EADDRNOTAVAIL, wanted an address of this machine and a port that may be used\n$/,
    ],
  ])('refuses %s in one line', (_, words, message) => {
    const { status, stderr } = spawnSync(process.execPath, [cli, 'watch', ...words], { cwd: root, encoding: 'utf8' });
    expect(stderr).toMatch(message);
    expect(status).toBe(1);
  });
});

describe('a run that is watched from aside', () => {
  test('is served by a process of its own, which ends with it, also where it is killed', async () => {
    // argv[1] is the command line, as it is where a verb runs.
    const script = join(root, 'job.mjs');
    writeFileSync(
      script,
      `import { watchFromAside } from ${JSON.stringify(watchModule)};
       process.argv[1] = ${JSON.stringify(cli)};
       const leave = watchFromAside('later');
       process.stdin.on('data', leave);`,
    );
    for (const kill of [false, true]) {
      const job = spawn(process.execPath, [script], { cwd: root });
      const url = await addressOf(job, job.stderr);
      expect(await (await fetch(url)).text()).toContain('waiting for the run to begin');
      if (kill) job.kill('SIGKILL');
      else job.stdin.end('leave');
      await expect
        .poll(
          () =>
            fetch(url).then(
              () => 'there',
              () => 'gone',
            ),
          { timeout: 30_000 },
        )
        .toBe('gone');
      job.kill();
    }
  });
});
