// Signals that end a process: the first asks the job to stop at its next safe point, a second one ends the process at once.
import { constants } from 'node:os';
import { ENDING } from '../core/signals.js';
import type { Display } from '../run/terminal.js';

/** Signals that someone sends twice on purpose; a closed terminal, for one, sends SIGHUP more than once. */
const INSISTENT: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT', 'SIGTERM'];

let asked: NodeJS.Signals | undefined;

/** A signal that is aborted when the user or the system asks this process to stop. */
export function stopSignal(display: Display): AbortSignal {
  const controller = new AbortController();
  for (const name of ENDING) {
    // Not every system has all of them.
    if (constants.signals[name] === undefined) continue;
    process.on(name, () => {
      if (asked !== undefined && INSISTENT.includes(name)) process.exit(codeOf(name));
      if (asked !== undefined) return;
      asked = name;
      display.say('stopping at the next safe point; once more stops at once');
      controller.abort();
    });
  }
  return controller.signal;
}

/** Exit code of a job that stopped because it was asked to. */
export function stopCode(): number {
  return codeOf(asked ?? 'SIGINT');
}

function codeOf(name: NodeJS.Signals): number {
  return 128 + constants.signals[name];
}
