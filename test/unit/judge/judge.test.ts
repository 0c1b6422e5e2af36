// The judge against a local server: what it sends, when it tries again, what it remembers, and what becomes of the grade.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { gradeFile } from '../../../src/grade/grade-file.js';
import { ChatClient } from '../../../src/judge/client.js';
import { Judge, lastResortOf } from '../../../src/judge/judge.js';
import type { AnswerRow } from '../../../src/reward/protocol/protocol.js';
import { protocols } from '../../../src/reward/protocol/registry.js';
import { type Answer, type ChatRequest, type ChatServer, chatServer } from '../../fakes/chat-server.js';

const quick = { backoffMs: 1, retries: 3, timeoutMs: 500, concurrency: 3 };
let dir: string;
let server: ChatServer;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'mstar-judge-'));
});
afterEach(async () => {
  await server?.close();
  rmSync(dir, { recursive: true, force: true });
});

async function serve(answer: (request: ChatRequest, number: number) => Answer): Promise<void> {
  server = await chatServer(answer);
}

const client = (): ChatClient => new ChatClient({ baseUrl: server.url, apiKey: 'secret', model: 'm' }, quick);
const judge = (more = {}): Judge =>
  new Judge({ baseUrl: server.url, model: 'm', cache: join(dir, 'cache'), patience: quick, ...more });

const row = (response: string, more: Partial<AnswerRow> = {}): AnswerRow => ({
  id: '1',
  taskFormat: 'mmbench',
  source: '',
  question: 'How many?',
  questionType: 'multi_choice',
  answerType: 'text',
  choices: ['one', 'two', 'three'],
  answer: 'B',
  answerLetter: 'B',
  response,
  ...more,
});
const unread = 'It might be some of them, who knows, let us think';

describe('the client', () => {
  test('asks the chat endpoint with key and model', async () => {
    await serve(() => ({ text: 'B' }));
    expect(await client().ask('hello')).toEqual({ text: 'B', promptTokens: 100, completionTokens: 2 });
    const [request] = server.requests;
    expect([request?.path, request?.headers.authorization]).toEqual(['/v1/chat/completions', 'Bearer secret']);
    expect(request?.body).toEqual({
      model: 'm',
      messages: [{ role: 'user', content: 'hello' }],
      temperature: 0,
      max_tokens: 64,
    });
  });

  test.each([
    ['too many requests', { status: 429, text: 'slow down', headers: { 'retry-after': '0.01' } }],
    ['a failing server', { status: 503, text: 'down' }],
    ['a body that is not a completion', { body: '<html>gateway</html>' }],
    ['an answer that does not come', { delayMs: 2000 }],
  ])('tries again after %s', async (_, fault) => {
    await serve((_request, number) => (number < 2 ? fault : { text: 'C' }));
    expect((await client().ask('x')).text).toBe('C');
    expect(server.requests).toHaveLength(3);
  });

  test('gives up after its retries, in one line without the key', async () => {
    await serve(() => ({ status: 500, text: 'broken\nfor good' }));
    const fault = await client()
      .ask('x')
      .catch((error: Error) => error);
    expect(fault).toMatchObject({
      name: 'UserError',
      message: `${server.url}: judge: HTTP 500 broken for good after 4 tries, wanted a reply`,
    });
    expect(server.requests).toHaveLength(4);
  });

  test('keeps key and password out of every message, whoever says them', async () => {
    const secrets = { key: 'sk-live/"1', name: 'me', password: 'p@ss:w?rd', token: 'tok-42' };
    const echo = (): Answer => {
      const { headers, path } = server.requests.at(-1) as ChatServer['requests'][number];
      const basic = Buffer.from(String(headers.authorization?.split(' ')[1]), 'base64').toString();
      return {
        status: 401,
        text: JSON.stringify([headers.authorization, basic, path, decodeURIComponent(path), secrets]),
      };
    };
    await serve(echo);
    const baseUrl = `${server.url.replace('//', `//me:${encodeURIComponent(secrets.password)}@`)}?key=${secrets.token}`;
    for (const apiKey of [undefined, secrets.key]) {
      const asking = new ChatClient({ baseUrl, model: 'm', ...(apiKey && { apiKey }) }, quick);
      const { message } = (await asking.ask('x').catch((error: Error) => error)) as Error;
      expect(message.startsWith(`${server.url}: judge: HTTP 401 `)).toBe(true);
      for (const secret of [secrets.password, 'p%40ss', secrets.token, ...(apiKey ? [apiKey, 'sk-live'] : [])])
        expect(message).not.toContain(secret);
    }
    expect(server.requests.map(({ path }) => path)).toEqual(Array(2).fill('/v1/chat/completions?key=tok-42'));
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([
      `Basic ${Buffer.from('me:p@ss:w?rd').toString('base64')}`,
      `Bearer ${secrets.key}`,
    ]);
  });

  test('reads at most a megabyte of a reply', async () => {
    await serve(() => ({ endless: true }));
    await expect(client().ask('x')).rejects.toThrow(`${server.url}: judge: a reply of more than 1 MB, wanted a reply`);
    // What the system holds between the two comes on top.
    expect(server.sent()).toBeLessThan(32 * 2 ** 20);
    expect(server.requests).toHaveLength(1);
  });

  test.each([
    '',
    'localhost:80',
    'ftp://me:secret@host',
    'http://me:secret@:99999',
    'me:secret@host/v1',
    'http://me:se@cret@h:x',
  ])('refuses the address %j at once, without its password', (baseUrl) => {
    const open = () => new ChatClient({ baseUrl, model: 'm' });
    expect(open).toThrow(/: judge: not an address of the web, wanted one as https:/);
    expect(open).not.toThrow(/se@?cret/);
  });

  test.each([
    ['a key that no header can hold', { apiKey: 'a\nb' }],
    ['a port that is closed to the web', { baseUrl: 'http://127.0.0.1:1/v1' }],
  ])('does not try again a request that cannot be made: %s', async (_, change) => {
    await serve(() => ({ text: 'A' }));
    const asking = new ChatClient({ baseUrl: server.url, model: 'm', ...change }, { ...quick, backoffMs: 60_000 });
    await expect(asking.ask('x')).rejects.toThrow(/^[^\n]*: judge: [^\n]*, wanted a reply$/);
  });

  test('does not try again what is refused', async () => {
    await serve(() => ({ status: 401, text: 'bad key' }));
    await expect(client().ask('x')).rejects.toThrow(/HTTP 401 bad key, wanted a reply/);
    expect(server.requests).toHaveLength(1);
  });

  test('ends all other requests once one has failed for good', async () => {
    await serve((_, number) => (number === 0 ? { status: 403, text: 'no' } : { status: 503, text: 'down' }));
    const asking = new ChatClient({ baseUrl: server.url, model: 'm' }, { ...quick, backoffMs: 60_000 });
    const outcomes = await Promise.allSettled(Array.from({ length: 9 }, (_, i) => asking.ask(`${i}`)));
    for (const outcome of outcomes) expect(String((outcome as PromiseRejectedResult).reason)).toContain('HTTP 403 no');
    expect(server.requests.length).toBeLessThanOrEqual(3);
  });

  test('leaves out a limit that the model does not know, from then on', async () => {
    await serve(({ max_tokens, temperature }) =>
      max_tokens !== undefined
        ? { status: 400, text: "'max_tokens' is not supported" }
        : temperature !== undefined
          ? { status: 400, text: "'temperature' is not supported" }
          : { text: 'A' },
    );
    const asking = client();
    expect((await asking.ask('x')).text).toBe('A');
    expect((await asking.ask('y')).text).toBe('A');
    expect(server.requests).toHaveLength(4);
  });

  test('keeps no more requests open than it may', async () => {
    await serve(() => ({ text: 'A', delayMs: 20 }));
    const asking = client();
    await Promise.all(Array.from({ length: 20 }, (_, i) => asking.ask(`question ${i}`)));
    expect([server.requests.length, server.most()]).toEqual([20, 3]);
  });
});

describe('the judge', () => {
  test('sees question, options and response, never the gold answer', async () => {
    await serve(() => ({ text: 'B' }));
    expect(await judge().answerOf(row(unread, { answer: 'gold!', answerLetter: undefined }))).toBe('B');
    const content = server.requests[0]?.body.messages[0]?.content ?? '';
    for (const part of ['How many?', '(C) three', unread, 'one of A to C']) expect(content).toContain(part);
    expect(content).not.toContain('gold!');
  });

  test.each([
    ['NONE', null],
    ['none.', null],
    ['', null],
    ['D', null],
    ['(B)', 'B'],
    ['B) two', 'B'],
    ['**C**', 'C'],
    ['Because of this', null],
  ])('reads %j as the choice %j', async (text, answer) => {
    await serve(() => ({ text }));
    expect(await judge().answerOf(row(unread))).toBe(answer);
  });

  test('asks once for a response, in this run and in the next', async () => {
    await serve(() => ({ text: 'B' }));
    const first = judge({ price: { input: 1, output: 10 } });
    await Promise.all([first.answerOf(row(unread)), first.answerOf(row(unread)), first.answerOf(row('other words'))]);
    expect(server.requests).toHaveLength(2);
    expect(first.counts).toEqual({
      asked: 2,
      read: 2,
      sent: 2,
      promptTokens: 200,
      completionTokens: 4,
      cost: 240 / 1e6,
    });
    const second = judge();
    expect(await second.answerOf(row(unread))).toBe('B');
    expect([server.requests.length, second.counts]).toEqual([
      2,
      { asked: 1, read: 1, sent: 0, promptTokens: 0, completionTokens: 0, cost: null },
    ]);
    await judge({ model: 'other' }).answerOf(row(unread));
    expect(server.requests).toHaveLength(3);
  });

  test('asks again where its note of a reply is damaged', async () => {
    await serve(() => ({ text: 'B' }));
    await judge().answerOf(row(unread));
    const cache = join(dir, 'cache');
    const [file] = readdirSync(cache, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'));
    writeFileSync(join(cache, file as string), '{"text": 3');
    expect(await judge().answerOf(row(unread))).toBe('B');
    expect(server.requests).toHaveLength(2);
    expect(JSON.parse(readFileSync(join(cache, file as string), 'utf8'))).toMatchObject({ text: 'B' });
  });
});

describe('a grade after the judge', () => {
  const regrade = (name: string, given: AnswerRow) => {
    const protocol = protocols.get(name);
    if (!protocol) throw new Error(name);
    return lastResortOf(judge())(protocol, given, protocol.grade(given));
  };

  test.each(['mstar', 'm3cot', 'mmstar', 'mmbench', 'ai2d', 'scienceqa', 'official'])(
    'of protocol %s is that of the answer that was read',
    async (name) => {
      await serve(() => ({ text: 'B' }));
      const grade = await regrade(name, row(unread));
      expect([grade.verdict, grade.reason.startsWith('read by m: ')]).toEqual(['correct', true]);
    },
  );

  test('stands where the protocol read the response itself, and nothing is asked', async () => {
    await serve(() => ({ text: 'B' }));
    expect((await regrade('mstar', row('The answer is A.'))).verdict).toBe('wrong');
    expect(server.requests).toHaveLength(0);
  });

  test('stays unreadable where the response states no answer', async () => {
    await serve(() => ({ text: 'NONE' }));
    expect((await regrade('mmbench', row(unread))).verdict).toBe('unreadable');
  });

  test('of MathVista takes the answer in place of the nearest choice, unless an extraction is recorded', async () => {
    await serve(() => ({ text: 'B' }));
    const given = row(unread, { taskFormat: 'mathvista', answer: 'two' });
    expect((await regrade('mathvista', given)).reason).toMatch(/^read by m: recorded extraction/);
    const recorded = await regrade('mathvista', { ...given, extraction: 'three' });
    expect([recorded.verdict, server.requests.length]).toEqual(['wrong', 1]);
  });

  test('comes in the order of the rows, with values as well as letters', async () => {
    await serve(({ messages }) => ({ text: messages[0]?.content.includes('<options>') ? 'B' : '17' }));
    const rows = [
      { id: 'a', question: 'q', choices: ['one', 'two'], answer: 'B', response: 'hm' },
      { id: 'b', question: 'q', answer: '17', answer_type: 'integer', response: 'I would not know' },
      { id: 'c', question: 'q', choices: ['one', 'two'], answer: 'A', response: '(A)' },
    ];
    const [file, out] = [join(dir, 'rows.jsonl'), join(dir, 'grades.jsonl')];
    writeFileSync(file, rows.map((one) => JSON.stringify(one)).join('\n'));
    const asked = judge();
    const counts = await gradeFile(file, { out, protocol: 'mstar', explain: false, lastResort: lastResortOf(asked) });
    expect([counts.correct, counts.unreadable, asked.counts.asked]).toEqual([3, 0, 2]);
    const ids = readFileSync(out, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).id);
    expect(ids).toEqual(['a', 'b', 'c']);
  });
});
