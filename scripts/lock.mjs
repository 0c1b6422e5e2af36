// One holder at a time among processes of this machine. The lock is a socket name, which the kernel frees with its
// process, so that a killed holder leaves nothing stale behind.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { say } from './log.mjs';

/** Runs `work` while holding the lock of this path; waits for another process that holds it. */
export async function withLock(file, work) {
  let server = await take(file);
  if (!server) say(`waiting for another set-up, which holds ${file}`);
  while (!server) {
    await setTimeout(200);
    server = await take(file);
  }
  try {
    return await work();
  } finally {
    server.close();
  }
}

async function take(file) {
  const server = createServer();
  server.listen(`\0mstar-${createHash('sha256').update(file).digest('hex')}`);
  try {
    await once(server, 'listening');
    return server;
  } catch (error) {
    if (error.code === 'EADDRINUSE') return undefined;
    throw error;
  }
}
