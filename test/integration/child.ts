// A process of its own that runs the small recipe on the fake learner, to be killed and started again. Arguments:
// folder, name of the run, milliseconds per engine call.
import { stopCode, stopSignal } from '../../src/commands/stop.js';
import { Stopped } from '../../src/core/errors.js';
import { evolve } from '../../src/jobs/jobs.js';
import type { Display } from '../../src/run/terminal.js';
import { fakeHost } from '../fakes/host.js';
import { smallRecipe } from './recipe.js';

const [root, name, delayMs] = process.argv.slice(2) as [string, string, string];
const display: Display = { show() {}, say: (text) => process.stderr.write(`${text}\n`), close() {} };

try {
  await evolve(smallRecipe(root, name), {
    display,
    signal: stopSignal(display),
    host: fakeHost({ delayMs: Number(delayMs) }),
  });
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = error instanceof Stopped ? stopCode() : 1;
}
