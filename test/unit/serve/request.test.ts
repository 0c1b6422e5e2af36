// What a request may hold, and in which words it is refused otherwise: fields, messages, pictures.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { backbone } from '../../../src/backbones/internvl2.js';
import { ImageRoot } from '../../../src/data/image-root.js';
import { messagesSchema, type PictureRules, readMessages } from '../../../src/serve/messages.js';
import type { Refusal } from '../../../src/serve/refusal.js';
import { readRequest } from '../../../src/serve/request.js';

const messages = [{ role: 'user', content: 'a question' }];
const body = (fields: object) => ({ model: 'm', messages, ...fields });

function refusal(call: () => unknown): Pick<Refusal, 'status' | 'message' | 'param' | 'code'> {
  try {
    call();
  } catch (error) {
    const { status, message, param, code } = error as Refusal;
    return { status, message, param, code };
  }
  throw new Error('not refused');
}

describe('the fields of a request', () => {
  test('have the defaults of the protocol', () => {
    const { n, sampling, stop, logprobs, stream, usage } = readRequest(body({}));
    expect({ n, sampling, stop, logprobs, stream, usage }).toEqual({
      n: 1,
      sampling: { temperature: 1, topP: 1, topK: 0, maxTokens: Number.MAX_SAFE_INTEGER },
      stop: [],
      logprobs: false,
      stream: false,
      usage: false,
    });
  });

  test('are read, null as left out, and what changes nothing is passed over', () => {
    const read = readRequest(
      body({
        ...{ n: 3, temperature: 0, top_p: 0, seed: -5, max_tokens: 9, max_completion_tokens: 7, stop: 'x' },
        ...{ stream: true, stream_options: { include_usage: true }, logit_bias: {}, tools: [], user: 'u' },
        ...{ response_format: { type: 'text' }, frequency_penalty: 0, presence_penalty: null, logprobs: null },
      }),
    );
    expect(read).toMatchObject({ n: 3, stop: ['x'], stream: true, usage: true, logprobs: false });
    expect(read.sampling).toMatchObject({ temperature: 0, topP: Number.MIN_VALUE, maxTokens: 7 });
    expect(Number.isSafeInteger(read.seed) && read.seed >= 0).toBe(true);
    expect(readRequest(body({ seed: -5 })).seed).not.toBe(readRequest(body({ seed: 5 })).seed);
  });

  test.each([
    ['nothing', null, /^body: null, wanted/, null],
    ['no model', { messages }, /^model: missing, wanted text$/, 'model'],
    ['no messages', body({ messages: [] }), /^messages: \[\], wanted a list of length at least 1$/, 'messages'],
    ['a negative n', body({ n: -1 }), /^n: -1, wanted at least 1$/, 'n'],
    ['a hot temperature', body({ temperature: 3 }), /^temperature: 3, wanted at most 2$/, 'temperature'],
    [
      'a temperature next to 0',
      body({ temperature: 1e-40 }),
      /^temperature: above 0, wanted 0 or at least 1e-30$/,
      'temperature',
    ],
    [
      'a picture given as a text',
      body({ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: 'a.png' }] }] }),
      /^messages\[0\]\.content: .*, wanted a text, or a list of parts, .*"image_url": \{"url": …\}\}$/,
      'messages[0].content',
    ],
    ['no tokens', body({ max_tokens: 0 }), /^max_tokens: 0, wanted at least 1$/, 'max_tokens'],
    ['an unknown field', body({ temprature: 1 }), /^Unrecognized request argument supplied: temprature$/, 'temprature'],
    [
      'a form',
      body({ response_format: { type: 'json_object' } }),
      /^response_format: not supported/,
      'response_format',
    ],
    ['tools', body({ tools: [{ type: 'function' }] }), /^tools: not supported, wanted none/, 'tools'],
    [
      'likely tokens',
      body({ logprobs: true, top_logprobs: 5 }),
      /^top_logprobs: not supported, wanted 0/,
      'top_logprobs',
    ],
    ['many stop texts', body({ stop: ['a', 'b', 'c', 'd', 'e'] }), /^stop: .* at most 4 of them$/, 'stop'],
    [
      'a lone option of streams',
      body({ stream_options: {} }),
      /^stream_options: given without stream/,
      'stream_options',
    ],
    [
      'a role',
      body({ messages: [{ role: 'tool', content: 'x' }] }),
      /^messages\[0\]\.role: .*wanted a role of/,
      'messages[0].role',
    ],
  ])('refuse %s', (_, given, message, param) => {
    expect(refusal(() => readRequest(given))).toEqual({
      status: 400,
      message: expect.stringMatching(message),
      param,
      code: null,
    });
  });
});

let root: string;
let rules: PictureRules;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'mstar-serve-'));
  mkdirSync(join(root, 'in'));
  writeFileSync(join(root, 'in/a.png'), 'x');
  writeFileSync(join(root, 'out.png'), 'x');
  symlinkSync(join(root, 'out.png'), join(root, 'in/link.png'));
  rules = { most: 2, root: new ImageRoot(join(root, 'in')) };
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const url = (text: string) => ({ type: 'image_url', image_url: { url: text } });
const text = (words: string) => ({ type: 'text', text: words });
const data = `data:image/png;base64,${Buffer.from('bytes').toString('base64')}`;
const read = (given: unknown, some = rules) => readMessages(messagesSchema.parse(given), backbone, some);

describe('messages', () => {
  test('with pictures before their text become what the model was trained on, others stay in their places', () => {
    const { conversation, sources } = read([
      { role: 'system', content: 'be brief' },
      { role: 'user', content: [url(data), text('one'), text('two')] },
      { role: 'assistant', content: 'yes' },
      { role: 'user', content: [text('and'), url('a.png'), text('?')] },
    ]);
    expect(conversation.system).toBe('be brief');
    expect(conversation.turns).toEqual([
      { role: 'user', content: backbone.ask('one\ntwo', 1) },
      { role: 'assistant', content: [{ text: 'yes' }] },
      { role: 'user', content: [{ text: 'and' }, { image: 1 }, { text: '?' }] },
    ]);
    expect(sources).toEqual([
      { bytes: Buffer.from('bytes'), name: 'messages[1].content[0].image_url' },
      { path: expect.stringMatching(/in\/a\.png$/) },
    ]);
  });

  test('name pictures under the image root by path or as a file: URL', () => {
    const file = pathToFileURL(join(root, 'in/a.png')).href;
    expect(read([{ role: 'user', content: [url(file)] }]).sources).toEqual([
      { path: expect.stringMatching(/a\.png$/) },
    ]);
  });

  const picture = (address: string) => [{ role: 'user', content: [url(address)] }];
  test.each([
    ['an address of the web', picture('https://host/a.png'), /an address of https:, which is not fetched/],
    ['a file above the root', picture('../out.png'), /leaves the image root/],
    ['a link out of it', picture('link.png'), /a link out of the image root/],
    ['a file: URL of another machine', picture('file://host/a.png'), /names no file of this machine/],
    ['a broken escape', picture('file:///%zz'), /names no file of this machine/],
    ['what is not base64', picture('data:image/png;base64,@@@@'), /what is not base64/],
    ['a data: URL of text', picture('data:text/plain,abc'), /a data: URL of another kind/],
    ['too many pictures', [{ role: 'user', content: [url(data), url(data), url(data)] }], /more than 2 pictures/],
    ['an answer at the end', [{ role: 'assistant', content: 'x' }], /the last one is no question/],
    ['a late system text', [...messages, { role: 'system', content: 'x' }], /role system behind others/],
  ])('refuse %s', (_, given, message) => {
    expect(refusal(() => read(given))).toMatchObject({ status: 400, message: expect.stringMatching(message) });
  });

  test('refuse every file where there is no image root', () => {
    for (const address of ['a.png', '/etc/passwd', 'file:///etc/passwd'])
      expect(refusal(() => read(picture(address), { most: 1 })).message).toMatch(/the server has no --image-root/);
  });
});
