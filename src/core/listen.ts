// Listens at an address of this machine for whatever answers requests.
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { systemFault, UserError } from './errors.js';

export interface Listening {
  readonly server: Server;
  /** `http://host:port`, as this machine reaches it. */
  readonly url: string;
}

/**
 * @param port 0 takes a free one
 * @throws UserError where it cannot listen there
 */
export async function listen(
  fetch: Parameters<typeof serve>[0]['fetch'],
  { host, port }: { readonly host: string; readonly port: number },
): Promise<Listening> {
  const server = serve({ fetch, hostname: host, port }) as Server;
  try {
    await once(server, 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE')
      throw new UserError(`--port: ${port}: in use, wanted a free one, or 0 to have one found`, 'ERR_SETTING');
    throw new UserError(
      `--host: ${host}: ${systemFault(error) ?? code}, wanted an address of this machine and a port that may be used`,
      'ERR_SETTING',
    );
  }
  const { port: found } = server.address() as AddressInfo;
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return { server, url: `http://${name}:${found}` };
}
