// mstar report: writes report.html of a run folder again, whether the run is finished or not.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../core/errors.js';
import { writeReport } from '../views/run/report.js';
import { printResult, verb } from './result.js';

/** Where runs lie unless their settings say otherwise. */
const RUNS = 'runs';

/** The run in `runs/` that was worked on last. */
async function newestRun(): Promise<string> {
  const names = await readdir(RUNS).catch(() => []);
  const found: { dir: string; changed: number }[] = [];
  for (const name of names) {
    const dir = join(RUNS, name);
    const info = await stat(join(dir, 'journal.jsonl')).catch(() => undefined);
    if (info) found.push({ dir, changed: info.mtimeMs });
  }
  const newest = found.sort((a, b) => b.changed - a.changed)[0];
  if (!newest) throw new UserError(`${RUNS}: run: none found, wanted one (or name its folder: mstar report <run>)`);
  return newest.dir;
}

export default verb({
  command: 'report [run]',
  describe: 'write report.html of a run folder, finished or not',
  builder: (yargs) =>
    yargs
      .positional('run', { type: 'string', describe: `run folder; the newest one in ${RUNS}/ when left out` })
      .example('$0 report', `the run in ${RUNS}/ that was worked on last`)
      .example('$0 report runs/demo', 'a run, also while it goes on'),
  async handler({ run, ...flags }) {
    const report = await writeReport(run ?? (await newestRun()));
    printResult(flags, { report }, [report]);
  },
});
