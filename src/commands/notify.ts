// `--notify URL`: one small message to a web hook when a command has ended or needs somebody. What becomes of the message changes
// nothing about the command. The URL often holds a secret, so that nothing but its host is ever printed.
import type { Argv } from 'yargs';
import { Stopped, UserError } from '../core/errors.js';
import { printable } from '../core/printable.js';
import { errorLine } from './result.js';

export interface NotifyFlags {
  readonly notify: string | undefined;
}

export function notifyFlag<T>(yargs: Argv<T>): Argv<T & NotifyFlags> {
  return yargs.option('notify', {
    type: 'string',
    describe: 'URL to POST a small JSON to when the command is done, has failed or needs attention',
  }) as never;
}

interface Notice {
  /** Its folder. */
  readonly run: string;
  /** It needs attention where the same command goes on, but somebody must start it. */
  readonly state: 'done' | 'failed' | 'needs attention';
  readonly line: string;
}

const PATIENCE_MS = 10_000;

/** Throws UserError where the flag names nothing that can be told. */
export function checkNotify(url: string | undefined): void {
  if (url !== undefined && !(URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)))
    throw new UserError('--notify: not a URL of http or https, wanted one such as https://HOST/PATH', 'ERR_SETTING');
}

/** Sends a message. Never rejects: one line on standard error says it where nobody took it. */
async function notify(url: string, notice: Notice): Promise<void> {
  const target = new URL(url);
  const { host } = target;
  let fault: string;
  try {
    // A request takes no name and password in its URL.
    const [name, password] = [target.username, target.password].map(decodeURIComponent);
    const basic = Buffer.from(`${name}:${password}`).toString('base64');
    const headers = { 'content-type': 'application/json', ...(name && { authorization: `Basic ${basic}` }) };
    [target.username, target.password] = ['', ''];
    const body = JSON.stringify({ ...notice, time: new Date().toISOString() });
    const signal = AbortSignal.timeout(PATIENCE_MS);
    // Another place that it is led to was not meant by the user.
    const response = await fetch(target, { method: 'POST', headers, body, signal, redirect: 'manual' });
    await response.body?.cancel();
    if (response.ok) return;
    fault = `answered ${response.status}`;
  } catch (error) {
    const { name, cause } = error as Error & { cause?: NodeJS.ErrnoException };
    fault =
      name === 'TimeoutError'
        ? `did not answer in ${PATIENCE_MS / 1000} s`
        : // Without a code it is a rule of fetch, such as the ports that it does not ask ("bad port").
          `cannot be reached (${cause?.code ?? cause?.message ?? name})`;
  }
  process.stderr.write(`warning: --notify: ${printable(host)} ${fault}; the message "${notice.state}" is lost\n`);
}

/** Whom to tell of a job; nobody without a URL. */
export interface Told {
  readonly url: string | undefined;
  /** Folder of the run, once it is wanted. */
  run(): Promise<string>;
}

/** Sends a message. Never rejects. */
export async function tell({ url, run }: Told, state: Notice['state'], line: string): Promise<void> {
  if (url !== undefined) await notify(url, { run: await run().catch(() => ''), state, line });
}

/** Does the work of a command, and tells how it ended. */
export async function telling<T>(told: Told, work: () => Promise<T>): Promise<T> {
  try {
    const result = await work();
    await tell(told, 'done', 'finished');
    return result;
  } catch (error) {
    if (error instanceof Stopped)
      await tell(told, 'needs attention', 'stopped when asked to; the same command goes on');
    else await tell(told, 'failed', errorLine(error));
    throw error;
  }
}
