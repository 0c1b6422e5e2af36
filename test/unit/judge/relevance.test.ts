// The rating of relevance against a local server: what is asked, what counts as a rating, what is remembered.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RelevanceJudge } from '../../../src/judge/relevance.js';
import { type ChatServer, chatServer } from '../../fakes/chat-server.js';

let dir: string;
let server: ChatServer;
let reply: string;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'mstar-relevance-'));
  reply = '4';
  server = await chatServer(() => ({ text: reply }));
});
afterEach(async () => {
  await server.close();
  rmSync(dir, { recursive: true, force: true });
});

const judge = (): RelevanceJudge =>
  new RelevanceJudge({ baseUrl: server.url, model: 'm', cache: join(dir, 'cache'), price: { input: 1, output: 10 } });

describe('a rating', () => {
  test.each([
    ['1', 1],
    [' 5\n', 5],
    ['0', null],
    ['6', null],
    ['4.', null],
    ['3/5', null],
    ['Rating: 4', null],
    ['45', null],
    ['', null],
  ])('of the reply %j is %j', async (text, rating) => {
    reply = text;
    const one = judge();
    expect(await one.rate('How many?', 'Two.')).toBe(rating);
    expect(one.counts).toMatchObject({ asked: 1, unreadable: rating === null ? 1 : 0, sent: 1 });
  });

  test('sees question and response, whatever marks they hold', async () => {
    await judge().rate('What is {response}?', 'It is $& {question}.');
    const message = server.requests[0]?.body.messages[0]?.content ?? '';
    expect(message).toContain('<question>\nWhat is {response}?\n</question>');
    expect(message).toContain('<response>\nIt is $& {question}.\n</response>');
    expect(message).toContain('one digit from 1 to 5');
  });

  test('is asked for once: pairs that repeat and later judges find it', async () => {
    const first = judge();
    await Promise.all(['a', 'a', 'b'].map((text) => first.rate('q', text)));
    expect(first.counts).toEqual({
      asked: 2,
      unreadable: 0,
      sent: 2,
      promptTokens: 200,
      completionTokens: 4,
      cost: (200 + 40) / 1e6,
    });
    const second = judge();
    expect(await second.rate('q', 'b')).toBe(4);
    expect(second.counts).toMatchObject({ asked: 1, sent: 0, cost: 0 });
    expect(server.requests).toHaveLength(2);
  });
});
