// --notify: what is sent and when, and that nothing about it changes how the command ends.
import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { checkNotify, telling } from '../../../src/commands/notify.js';
import { Stopped, UserError } from '../../../src/core/errors.js';
import { supervise } from '../../../src/distributed/supervise.js';

const cli = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));
let server: Server;
let status: number;
let got: { readonly request: IncomingMessage; readonly body: Record<string, string> }[];
let printed: string[];

beforeEach(async () => {
  [status, got, printed] = [200, [], []];
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (piece) => {
      text += piece;
    });
    request.on('end', () => {
      got.push({ request, body: JSON.parse(text) });
      response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end('thanks');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    printed.push(String(text));
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  server.close();
});

const hostOf = (): string => `127.0.0.1:${(server.address() as AddressInfo).port}`;
const told = (path = '/hook?key=secret') => ({ url: `http://${hostOf()}${path}`, run: async () => 'runs/demo' });

describe('a job that is told of', () => {
  test('says when it is done, once, and gives its result', async () => {
    expect(await telling(told(), async () => 7)).toBe(7);
    expect(got.map(({ body }) => body)).toEqual([
      { run: 'runs/demo', state: 'done', line: 'finished', time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) },
    ]);
    const [{ request }] = got as [(typeof got)[0]];
    expect([request.method, request.url, request.headers['content-type']]).toEqual([
      ...['POST', '/hook?key=secret', 'application/json'],
    ]);
    expect(printed).toEqual([]);
  });

  test.each([
    ['a mistake', new UserError('recipe.yaml: evolve.n: 0, wanted 1'), 'failed', 'recipe.yaml: evolve.n: 0, wanted 1'],
    ['a fault', new Error('odd\nmore'), 'failed', 'odd (--debug shows where)'],
    ['a stop', new Stopped(), 'needs attention', 'stopped when asked to; the same command goes on'],
  ])('says of %s what it needs, and fails with it', async (_, error, state, line) => {
    await expect(telling(told(), () => Promise.reject(error))).rejects.toBe(error);
    expect(got.map(({ body }) => body)).toEqual([{ run: 'runs/demo', state, line, time: expect.any(String) }]);
  });

  test('sends name and password of the URL as a header', async () => {
    const url = told().url.replace('//', '//us%40er:pa%3Ass@');
    await telling({ ...told(), url }, async () => {});
    const { authorization } = (got[0] as (typeof got)[0]).request.headers;
    expect(Buffer.from(String(authorization).slice('Basic '.length), 'base64').toString()).toBe('us@er:pa:ss');
  });

  test('whose folder is not known yet is told of all the same', async () => {
    await telling({ ...told(), run: () => Promise.reject(new Error('no recipe')) }, async () => {});
    expect(got[0]?.body.run).toBe('');
  });

  test.each([
    [500, 'answered 500'],
    [302, 'answered 302'],
  ])('ends as it would where the answer is %i, and says so in one line without the secret', async (answer, fault) => {
    status = answer;
    expect(await telling(told(), async () => 7)).toBe(7);
    expect(printed).toEqual([`warning: --notify: ${hostOf()} ${fault}; the message "done" is lost\n`]);
    expect(got).toHaveLength(1);
  });

  test.each([
    [
      'where nobody listens',
      (url: string) => url,
      /^warning: --notify: \S+ cannot be reached \(ECONNREFUSED\); the message "failed" is lost\n$/,
    ],
    ['with a port that fetch asks for nothing', () => 'http://127.0.0.1:6667/secret', /cannot be reached \(bad port\)/],
    [
      'whose name makes no sense',
      (url: string) => url.replace('//', '//%ff:secret@'),
      /cannot be reached \(URIError\)/,
    ],
  ])('ends as it would with a URL %s', async (_, change, line) => {
    const { url } = told();
    await new Promise((resolve) => server.close(resolve));
    const error = new UserError('its own fault');
    await expect(telling({ url: change(url), run: async () => '' }, () => Promise.reject(error))).rejects.toBe(error);
    expect(printed).toHaveLength(1);
    expect(printed[0]).toMatch(line);
    expect(printed[0]).not.toContain('secret');
  });
});

describe('the flag', () => {
  test.each(['', 'ftp://host/secret', 'secret', 'http:/', 'javascript:secret'])(
    'refuses %j without printing it',
    (url) => {
      expect(() => checkNotify(url)).toThrow(
        /^--notify: not a URL of http or https, wanted one such as https:\/\/HOST\/PATH$/,
      );
    },
  );

  test.each([
    ['evolve', ['--config', 'absent.yaml'], 'absent.yaml: '],
    ['experiment', ['table1', '--scale', 'huge'], '--scale: huge, wanted one of '],
  ])('of mstar %s tells of a failure, with the exit code of the failure', async (verb, words, line) => {
    const child = spawn(process.execPath, [cli, verb, ...words, '--notify', told().url], { stdio: 'ignore' });
    expect(await new Promise((resolve) => child.on('exit', resolve))).toBe(1);
    expect(got.map(({ body }) => body.state)).toEqual(['failed']);
    expect(got[0]?.body.line).toContain(line);
  });
});

describe('the process that has started ranks', () => {
  const lost = async (script: string): Promise<string[]> => {
    const lines: string[] = [];
    await supervise({
      ranks: 2,
      command: [process.execPath, '-e', `const R = Number(process.env.RANK); ${script}`],
      environment: process.env,
      grace: 200,
      say: () => {},
      onLost: async (line) => void lines.push(line),
    });
    return lines;
  };

  test.each([
    [
      'rank 0 is killed',
      `if (R === 0) process.kill(process.pid, 'SIGKILL'); else process.exit(75)`,
      /^rank 0 .* was ended by SIGKILL/,
    ],
    [
      'another rank is killed',
      `if (R === 1) process.kill(process.pid, 'SIGKILL'); else setTimeout(() => {}, 60000)`,
      /^rank 1 .* was ended by SIGKILL/,
    ],
    [
      'another rank fails',
      `process.exit(R === 1 ? 3 : 75)`,
      /^rank 1 .* failed; the job has ended, and the same command goes on/,
    ],
  ])('tells where %s', async (_, script, line) => {
    expect(await lost(script)).toEqual([expect.stringMatching(line)]);
  });

  test.each([
    ['all is well', ''],
    ['rank 0 has told itself why it failed', `if (R === 0) process.exit(1)`],
  ])('tells nothing where %s', async (_, script) => {
    expect(await lost(script)).toEqual([]);
  });
});
