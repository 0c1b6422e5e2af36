// Which hosts need no secret.
import { isIP } from 'node:net';

/** Whether a host is this machine alone; a name that begins like an address is not. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
