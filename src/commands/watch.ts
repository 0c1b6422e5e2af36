// `mstar watch [RUN...]`: a local page about runs that follows them while they go on.
import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../core/errors.js';
import { ENDING } from '../core/signals.js';
import { readRun } from '../views/run/read.js';
import { newestRun, RUNS } from '../views/run/runs.js';
import { printResult, requireInteger, verb } from './result.js';

const MOST_RUNS = 8;

export default verb({
  command: 'watch [runs..]',
  describe: 'serve a local page about runs, at work, stopped or finished, that follows them',
  builder: (yargs) =>
    yargs
      .positional('runs', {
        type: 'string',
        array: true,
        describe: `1 to ${MOST_RUNS} run folders; the newest one in ${RUNS}/ when left out`,
      })
      .option('host', { type: 'string', default: '127.0.0.1', describe: 'address to listen at' })
      .option('port', { type: 'number', default: 7007, describe: 'port to listen at; 0 takes a free one' })
      .option('wait', {
        type: 'boolean',
        default: false,
        describe: 'begin although a run has not begun yet, and show it when it does',
      })
      .example('$0 watch', `the run in ${RUNS}/ that was worked on last`)
      .example('$0 watch runs/a runs/b', 'two runs, each by itself and over each other')
      .example(
        'ssh -L 7007:localhost:7007 HOST mstar watch runs/demo',
        'a run on another machine, in the browser of this one',
      )
      .epilogue(
        'The page only reads the folders. Its address holds a token: whoever has it sees the runs. The connection is not encrypted, so beyond this machine use a tunnel such as that of ssh.',
      ),
  async handler({ runs: given, host, port, wait, ...flags }) {
    requireInteger('--port', port, 0, 65535);
    const runs = given?.length ? given : [await newestRun('watch')];
    if (runs.length > MOST_RUNS) throw new UserError(`runs: ${runs.length}, wanted 1 to ${MOST_RUNS} run folders`);
    for (const run of runs) if (!wait || existsSync(join(run, 'config.yaml'))) await readRun(run);
    const { serveRuns } = await import('../watch/server.js');
    const { url, close } = await serveRuns(runs, { host, port });
    printResult(flags, { url }, [url]);
    await asked();
    await close();
  },
});

/** Settles when a signal asks this process to end, or, where another process started it for itself, when that one leaves. */
function asked(): Promise<void> {
  return new Promise((resolve) => {
    // Undefined where nobody started this process for itself, false where who did has left while it was starting.
    if (process.connected === false) resolve();
    else if (!process.connected) for (const name of ENDING) process.once(name, () => resolve());
    // A signal from the terminal reaches both; the one that works goes on to its next safe point and is watched until then.
    else for (const name of ENDING) process.on(name, () => {});
    process.once('disconnect', () => resolve());
  });
}

/**
 * Watches a run that this process is about to work on, from a process of its own: nothing that fails there can end the run.
 * @returns ends it
 */
export function watchFromAside(run: string): () => void {
  const child = fork(process.argv[1] as string, ['watch', run, '--port', '0', '--wait'], {
    // Standard output is for the result of the run.
    stdio: ['ignore', 2, 2, 'ipc'],
  });
  child.on('error', () => {});
  child.unref();
  child.channel?.unref();
  return () => {
    if (child.connected) child.disconnect();
  };
}
