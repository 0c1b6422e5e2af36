// Ctrl-C and SIGTERM: the first asks the job to stop at its next safe point, the second ends the process at once.
// Leaves stopping to the job and the exit code to cli.ts.
import type { Display } from '../run/terminal.js';

const CODES = { SIGINT: 130, SIGTERM: 143 } as const;

let asked: keyof typeof CODES | undefined;

/** A signal that is aborted when the user or the system asks this process to stop. */
export function stopSignal(display: Display): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (asked !== undefined) process.exit(CODES[name]);
      asked = name;
      display.say('stopping at the next safe point; once more stops at once');
      controller.abort();
    });
  }
  return controller.signal;
}

/** Exit code of a job that stopped because it was asked to. */
export function stopCode(): number {
  return CODES[asked ?? 'SIGINT'];
}
