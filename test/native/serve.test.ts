// A server of the embedded model, asked by OpenAI's own client and by clients that are broken.
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHost } from '../../src/engine/host.js';
import type { NativePolicy } from '../../src/engine/policy.js';
import { ChatClient } from '../../src/judge/client.js';
import { type ServeOptions, type Serving, serveModels } from '../../src/serve/server.js';
import { pngFile } from '../fakes/png.js';

const folder = fileURLToPath(new URL('../../assets/tiny-internvl2', import.meta.url));
const host = createHost({
  ...{ device: 'cpu', dtype: 'float32', threads: 2, maxImagePixels: 1_000_000 },
  prompt: { solve: '{question}', givenAnswer: '{question}' },
});
const options: ServeOptions = {
  ...{ name: 'tiny', host: '127.0.0.1', port: 0, maxQueue: 64, pictures: { most: 2 }, maxBodyBytes: 1 << 20 },
  ...{ timeout: 60_000, grace: 60_000, delimiter: '\n' },
};
const start = async (changes: Partial<ServeOptions> = {}): Promise<Serving> =>
  serveModels(
    { policy: await host.openPolicy(folder), scorer: await host.openScorer(folder, 'mean') },
    { ...options, ...changes },
  );
const clientOf = ({ url }: Serving, apiKey = 'any') => new OpenAI({ baseURL: url, apiKey, maxRetries: 0 });

let serving: Serving;
let openai: OpenAI;
beforeAll(async () => {
  serving = await start();
  openai = clientOf(serving);
});
afterAll(() => serving.close());

/** What takes the embedded model most of a second: many answers, few of which end early. */
const endless = { n: 128, temperature: 2, top_p: 0.999, max_tokens: 1_000_000 };

/** A picture of one colour as the protocol sends it. */
const picture = (red: number, side = 40): string => {
  const rows = Array.from({ length: side }, () => Array.from({ length: side * 3 }, (_, i) => (i % 3 === 0 ? red : 90)));
  return `data:image/png;base64,${pngFile({ width: side, height: side, rows }).toString('base64')}`;
};
type Body = OpenAI.ChatCompletionCreateParamsNonStreaming;
const question = (text: string, image?: string): Body['messages'] => [
  {
    role: 'user',
    content: image
      ? [
          { type: 'image_url', image_url: { url: image } },
          { type: 'text', text },
        ]
      : text,
  },
];
const ask = (changes: Partial<Body> = {}, of = openai) =>
  of.chat.completions.create({
    ...{ model: 'tiny', messages: question('What is 2 + 3?'), max_tokens: 24, seed: 7 },
    ...changes,
  } as Body);
const textsOf = ({ choices }: OpenAI.ChatCompletion) => choices.map(({ message }) => message.content);
const post = (path: string, body: BodyInit, headers: Record<string, string> = {}) =>
  fetch(`${serving.url}${path}`, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });
const metric = async (name: string, of = serving): Promise<number> => {
  const text = await (await fetch(new URL('/metrics', of.url))).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
};
const isQuiet = async (of = serving): Promise<unknown[]> =>
  Promise.all(['requests_under_way', 'responses_running', 'kv_bytes'].map((name) => metric(`mstar_${name}`, of)));

describe('an answer', () => {
  test('is that of a policy to the same conversation and seed', async () => {
    const { choices, usage } = await ask({ messages: question('How many are red?', picture(255)), n: 3 });
    const policy: NativePolicy = await host.openPolicy(folder);
    const session = await policy.openSession();
    const bytes = Buffer.from(picture(255).split(',')[1] as string, 'base64');
    const content = policy.opened.backbone.ask('How many are red?', 1);
    const prompt = await session.prompt({ turns: [{ role: 'user', content }] }, [{ bytes, name: 'picture' }]);
    const sampling = { temperature: 1, topK: 0, topP: 1, maxTokens: 24 };
    const answers = await session.answer(prompt, { n: 3, sampling, seed: 7 });
    await session.close();
    expect(choices.map(({ message }) => message.content)).toEqual(
      answers.map(({ tokens }) => policy.opened.tokenizer.decode(tokens).text),
    );
    expect(choices.map(({ finish_reason }) => finish_reason)).toEqual(answers.map(({ finish }) => finish));
    expect(usage).toMatchObject({
      prompt_tokens: prompt.tokens.length,
      completion_tokens: answers.reduce((sum, { tokens }) => sum + tokens.length, 0),
    });
    await policy.dispose();
  });

  test('is the same for the same seed, and most likely another for another', async () => {
    const [one, again, other] = await Promise.all([ask(), ask(), ask({ seed: 8 })]);
    expect(textsOf(again)).toEqual(textsOf(one));
    expect(textsOf(other)).not.toEqual(textsOf(one));
    const [greedy, likely] = await Promise.all([ask({ temperature: 0 }), ask({ top_p: 0, seed: 3 })]);
    expect(textsOf(likely)).toEqual(textsOf(greedy));
  });

  test('comes as a stream of the same text, with the counts at its end', async () => {
    const changes = { n: 2, logprobs: true, messages: question('How many are blue?', picture(3)) };
    const whole = await ask(changes);
    const stream = await openai.chat.completions.create({
      ...{ model: 'tiny', max_tokens: 24, seed: 7, stream: true, stream_options: { include_usage: true } },
      ...changes,
    });
    const texts = ['', ''];
    const ends: unknown[] = [];
    const logprobs: number[][] = [[], []];
    let usage: unknown;
    let chunks = 0;
    for await (const chunk of stream) {
      chunks++;
      usage = chunk.usage ?? usage;
      for (const { index, delta, finish_reason: end, logprobs: fresh } of chunk.choices) {
        texts[index] += delta.content ?? '';
        logprobs[index]?.push(...(fresh?.content ?? []).map(({ logprob }) => logprob));
        if (end) ends[index] = end;
      }
    }
    expect(texts).toEqual(textsOf(whole));
    expect(ends).toEqual(whole.choices.map((choice) => choice.finish_reason));
    expect(logprobs).toEqual(whole.choices.map((choice) => choice.logprobs?.content?.map(({ logprob }) => logprob)));
    expect(usage).toEqual(whole.usage);
    expect(chunks).toBeGreaterThan(6);
  });

  test('ends before a stop text, whole and streamed', async () => {
    const [text = ''] = textsOf(await ask());
    const stop = (text as string).slice(5, 8);
    expect(stop).toHaveLength(3);
    const { choices, usage } = await ask({ stop: [stop, 'never'], max_tokens: 2000 });
    expect(choices[0]).toMatchObject({
      finish_reason: 'stop',
      message: { content: text?.slice(0, text.indexOf(stop)) },
    });
    expect(usage?.completion_tokens).toBeLessThan(24);
    const stream = openai.chat.completions.stream({
      ...{ model: 'tiny', messages: question('What is 2 + 3?'), max_tokens: 2000, seed: 7, stop },
    });
    expect(textsOf(await stream.finalChatCompletion())).toEqual([choices[0]?.message.content]);
    await expect.poll(() => isQuiet()).toEqual([0, 0, 0]);
  });

  test('has the log-probability of each token, whose texts make the whole', async () => {
    const { choices } = await ask({ logprobs: true });
    const content = choices[0]?.logprobs?.content ?? [];
    expect(content.length).toBeGreaterThan(3);
    expect(content.map(({ token }) => token).join('')).toBe(choices[0]?.message.content);
    for (const { logprob, bytes, token } of content) {
      expect(logprob).toBeLessThanOrEqual(0);
      expect(Buffer.from(bytes ?? []).toString()).toBe(token);
    }
  });
});

test('a judge, and the request that VLMEvalKit sends, are answered', async () => {
  const judge = new ChatClient({ baseUrl: serving.url, model: 'tiny' });
  const { text, promptTokens } = await judge.ask('Is 5 right?');
  expect(text).not.toBe('');
  expect(promptTokens).toBeGreaterThan(3);
  const content = [
    { type: 'image_url', image_url: { url: picture(7), detail: 'low' } },
    { type: 'text', text: 'How many?' },
  ];
  const body = { model: 'tiny', messages: [{ role: 'user', content }], n: 1, temperature: 0, max_tokens: 32 };
  const response = await post('/chat/completions', JSON.stringify(body), { authorization: 'Bearer sk-any' });
  expect(await response.json()).toMatchObject({ choices: [{ message: { content: expect.any(String) } }] });
});

test('16 clients at once get what each gets alone', async () => {
  const asks = Array.from(
    { length: 16 },
    (_, i): Partial<Body> => ({
      messages: question(`What is ${i % 5} + 3?`, i % 3 === 0 ? undefined : picture(i * 9)),
      ...{ seed: i, n: 1 + (i % 3), temperature: [1, 0, 0.7, 1.3][i % 4] as number, max_tokens: 8 + 5 * (i % 4) },
      ...(i % 4 === 0 && { top_p: 0.9 }),
    }),
  );
  const alone: unknown[] = [];
  for (const one of asks) alone.push(textsOf(await ask(one)));
  const together = await Promise.all(asks.map((one) => ask(one)));
  expect(together.map(textsOf)).toEqual(alone);
});

describe('a request is refused', () => {
  const refused = async (call: Promise<unknown>) => {
    const error = await call.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(OpenAI.APIError);
    const { status, message, code, param, type } = error as InstanceType<typeof OpenAI.APIError>;
    return { status, message, code, param, type };
  };

  test.each([
    ['an unknown model', { model: 'gpt-4o' }, 404, 'model_not_found'],
    ['a negative n', { n: -1 }, 400, null],
    [
      'a damaged picture',
      { messages: question('?', `data:image/png;base64,${btoa('\x89PNG\r\n\x1a\nxxxx')}`) },
      400,
      null,
    ],
    ['a picture that is none', { messages: question('?', `data:image/png;base64,${btoa('hello')}`) }, 400, null],
    ['a picture that is too large', { messages: question('?', picture(1, 1100)) }, 400, null],
    ['an address of the web', { messages: question('?', 'https://host/a.png') }, 400, 'invalid_image_url'],
    ['a prompt that is too long', { messages: question('2 + 3 '.repeat(20_000)) }, 400, 'context_length_exceeded'],
  ])('that has %s', async (_, changes, status, code) => {
    const error = await refused(ask(changes as Partial<Body>));
    expect(error).toMatchObject({ status, code });
    expect(error.message).toMatch(/wanted/);
  });

  test.each([
    ['is not JSON', '{"model": ', 400],
    ['is not UTF-8', Buffer.from([0x22, 0xff, 0x22]), 400],
    ['is too long', 'x'.repeat(2 << 20), 413],
    ['nests too deep', '['.repeat(5000), 400],
  ])('whose body %s', async (_, body, status) => {
    const response = await post('/chat/completions', body);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({
      error: { message: expect.stringMatching(/^body/), type: 'invalid_request_error' },
    });
  });

  test('at another place, by another method, under the name of another host, from a page of the web', async () => {
    expect((await post('/completions', '{}')).status).toBe(404);
    expect((await fetch(`${serving.url}/chat/completions`)).status).toBe(404);
    const { hostname, port } = new URL(serving.url);
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(Number(port), hostname, () =>
        socket.write('GET /v1/models HTTP/1.1\r\nHost: evil.test\r\n\r\n'),
      );
      socket.once('data', (bytes) => {
        resolve(String(bytes));
        socket.destroy();
      });
    });
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
    const page = await fetch(`${serving.url}/models`, { headers: { origin: 'http://127.0.0.1' } });
    expect(page.status).toBe(403);
  });

  test('without the key of a server that has one, but for its health', async () => {
    const locked = await start({ apiKey: 'secret' });
    expect(await refused(ask({}, clientOf(locked, 'guess')))).toMatchObject({ status: 401, code: 'invalid_api_key' });
    expect(textsOf(await ask({}, clientOf(locked, 'secret')))).toEqual(textsOf(await ask()));
    expect((await fetch(new URL('/metrics', locked.url))).status).toBe(401);
    expect((await fetch(new URL('/health', locked.url))).status).toBe(200);
    await locked.close();
  });

  test('beyond the queue, with the time to try again; one that takes too long is ended', async () => {
    const small = await start({ maxQueue: 1, timeout: 300 });
    const client = clientOf(small);
    const slow = refused(ask(endless, client));
    await expect.poll(() => metric('mstar_requests_under_way', small), { interval: 5 }).toBe(1);
    const response = await fetch(`${small.url}/chat/completions`, { method: 'POST', body: '{}' });
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '1']);
    expect(await response.json()).toMatchObject({ error: { type: 'rate_limit_error', code: 'queue_full' } });
    expect(await slow).toMatchObject({ status: 504, code: 'timeout' });
    await expect.poll(() => isQuiet(small)).toEqual([0, 0, 0]);
    await small.close();
  });
});

test('a client that leaves takes its requests along, whole or streamed', async () => {
  for (const stream of [false, true]) {
    const leave = new AbortController();
    const body = JSON.stringify({ model: 'tiny', messages: question('?'), ...endless, stream });
    const asked = { method: 'POST', body, signal: leave.signal };
    const left = Array.from({ length: 8 }, async () => (await fetch(`${serving.url}/chat/completions`, asked)).text());
    const all = Promise.allSettled(left);
    // The server has not ended by then; to ask it would not do, as its answers keep this process busy.
    await pause(100);
    leave.abort();
    await all;
    await expect.poll(() => isQuiet()).toEqual([0, 0, 0]);
  }
});

/** A connection that has sent requests for answers, one right after the other, and reads nothing. */
const connected = ({ url }: Serving, ...bodies: object[]) => {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname).pause();
  const requests = bodies
    .map((one) => JSON.stringify(one))
    .map(
      (body) =>
        `POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
  // At once: the server stops to read from a connection that does not take its answers.
  socket.write(requests.join(''));
  return socket;
};

// Each chunk of a stream names the model: an answer is more than the system keeps for a connection.
const long = 'x'.repeat(8000);
const deaf = { model: long, messages: question('?'), n: 128, logprobs: true, stream: true };

test('requests that wait for others on their connection end with it', async () => {
  const other = await start({ name: long });
  const socket = connected(other, deaf, deaf, deaf);
  await expect.poll(() => metric('mstar_requests_under_way', other)).toBeGreaterThan(1);
  socket.destroy();
  await expect.poll(() => isQuiet(other)).toEqual([0, 0, 0]);
  await other.close();
});

test('a client that does not send its request, or does not read its answer, has its time', async () => {
  const other = await start({ name: long, timeout: 1500 });
  const { hostname, port } = new URL(other.url);
  const slow = connect(Number(port), hostname);
  slow.write('POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{');
  expect(String((await once(slow, 'data'))[0])).toMatch(/^HTTP\/1\.1 504 /);
  slow.destroy();
  const socket = connected(other, deaf);
  // It is never read, so that only the server can end it.
  await expect.poll(() => metric('mstar_request_seconds_count', other)).toBe(2);
  expect(await metric('mstar_requests_under_way', other)).toBe(0);
  socket.destroy();
  await other.close();
});

describe('beside answers', () => {
  test('the server tells its model, its health and its measures', async () => {
    expect((await openai.models.list()).data.map(({ id }) => id)).toEqual(['tiny']);
    expect(await openai.models.retrieve('tiny')).toMatchObject({ id: 'tiny', object: 'model' });
    for (const other of ['org/other', '%ff']) expect((await fetch(`${serving.url}/models/${other}`)).status).toBe(404);
    expect(await (await fetch(new URL('/health', serving.url))).json()).toEqual({ status: 'ok' });
    const before = await metric('mstar_completion_tokens_total');
    const { usage } = await ask();
    expect(await metric('mstar_completion_tokens_total')).toBe(before + (usage?.completion_tokens as number));
    const text = await (await fetch(new URL('/metrics', serving.url))).text();
    expect(text).toMatch(/^mstar_requests_total\{route="\/v1\/chat\/completions",status="200"\} \d+$/m);
    expect(text).toMatch(/^mstar_request_seconds_bucket\{le="\+Inf"\} \d+$/m);
    expect(text).toMatch(/^mstar_kv_limit_bytes [1-9]\d+$/m);
  });

  test('it scores the steps of an answer', async () => {
    const messages = [
      ...question('What is 2 + 3?', picture(9)),
      { role: 'assistant', content: '2 + 3 is 🎲.\n\nIt is 5.\nThe answer is 5' },
    ];
    const response = await post('/score', JSON.stringify({ messages }));
    expect(response.status).toBe(200);
    const { steps } = (await response.json()) as {
      steps: { text: string; start: number; end: number; score: number }[];
    };
    expect(steps.map(({ text }) => text)).toEqual(['2 + 3 is 🎲.\n\n', 'It is 5.\n', 'The answer is 5']);
    expect(steps.map(({ start, end }) => [start, end])).toEqual([
      [0, 13],
      [13, 22],
      [22, 37],
    ]);
    for (const { score } of steps) expect(Number.isFinite(score)).toBe(true);
    const again = await post('/score', JSON.stringify({ messages }));
    expect(await again.json()).toMatchObject({ steps });
    const open = await post('/score', JSON.stringify({ messages: messages.slice(0, 1) }));
    expect(open.status).toBe(400);
    const other = await post('/score', JSON.stringify({ model: 'other', messages }));
    expect(other.status).toBe(404);
    expect(await other.json()).toMatchObject({ error: { param: 'model', code: 'model_not_found' } });
  });
});
