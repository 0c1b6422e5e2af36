// mstar serve as a program: it says where it is, and ends as it is asked to.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

test('SIGTERM refuses new requests, lets those under way go on for a while, and ends the program well', async () => {
  // Each chunk of a stream names the model: an answer is more than the system keeps for a connection.
  const name = 'x'.repeat(8000);
  const words = [
    'serve',
    'mstar:assets/tiny-internvl2',
    '--name',
    name,
    '--port',
    '0',
    '--threads',
    '1',
    '--grace',
    '3',
  ];
  const child = spawn(process.execPath, [cli, ...words, '--json']);
  const end = once(child, 'exit');
  let printed = '';
  for await (const piece of child.stdout) {
    printed += piece;
    if (printed.includes('}')) break;
  }
  const { url, model } = JSON.parse(printed) as { url: string; model: string };
  expect(model).toBe(name);
  const ask = (changes: object) =>
    fetch(`${url}/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }], ...changes }),
    });
  // Nobody reads it, so it does not end by itself.
  const unread = await ask({ n: 128, stream: true });
  expect(unread.headers.get('content-type')).toMatch(/^text\/event-stream/);
  const told = performance.now();
  child.kill('SIGTERM');
  await expect.poll(async () => (await fetch(new URL('/health', url))).status).toBe(503);
  const late = await ask({});
  expect([late.status, late.headers.get('retry-after')]).toEqual([503, '1']);
  expect(await end).toEqual([0, null]);
  expect(performance.now() - told).toBeGreaterThan(3000);
  expect(await unread.text().catch(() => 'cut off')).not.toContain('[DONE]');
});
