// mstar serve as a program: it says where it is, and ends as it is asked to.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

test('SIGTERM refuses new requests, lets those under way go on for a while, and ends the program well', async () => {
  const words = ['serve', 'mstar:assets/tiny-internvl2', '--port', '0', '--threads', '1', '--grace', '3', '--json'];
  const child = spawn(process.execPath, [cli, ...words]);
  const end = once(child, 'exit');
  let printed = '';
  for await (const piece of child.stdout) {
    printed += piece;
    if (printed.includes('}')) break;
  }
  const { url, model } = JSON.parse(printed) as { url: string; model: string };
  expect(model).toBe('tiny-internvl2');
  const ask = (changes: object) =>
    fetch(`${url}/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }], ...changes }),
    });
  // Far more tokens than the three seconds have room for.
  const long = { n: 128, temperature: 2, top_p: 0.999, max_tokens: 1_000_000, stream: true };
  const streams = await Promise.all(Array.from({ length: 8 }, () => ask(long)));
  for (const endless of streams) expect(endless.headers.get('content-type')).toMatch(/^text\/event-stream/);
  child.kill('SIGTERM');
  await expect.poll(async () => (await fetch(new URL('/health', url))).status).toBe(503);
  const late = await ask({});
  expect([late.status, late.headers.get('retry-after')]).toEqual([503, '1']);
  // The streams went on until their time was over, and say so.
  let count = 0;
  for (const endless of streams) {
    const events = (await endless.text()).trim().split('\n\n');
    count += events.length;
    expect(JSON.parse(events.at(-1)?.slice('data: '.length) ?? '')).toMatchObject({ error: { code: 'stopping' } });
  }
  expect(count).toBeGreaterThan(100);
  expect(await end).toEqual([0, null]);
});
