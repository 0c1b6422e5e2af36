// mstar report: writes report.html of a run folder again, whether the run is finished or not.
import { writeReport } from '../views/run/report.js';
import { newestRun, RUNS } from '../views/run/runs.js';
import { printResult, verb } from './result.js';

export default verb({
  command: 'report [run]',
  describe: 'write report.html of a run folder, finished or not',
  builder: (yargs) =>
    yargs
      .positional('run', { type: 'string', describe: `run folder; the newest one in ${RUNS}/ when left out` })
      .example('$0 report', `the run in ${RUNS}/ that was worked on last`)
      .example('$0 report runs/demo', 'a run, also while it goes on'),
  async handler({ run, ...flags }) {
    const report = await writeReport(run ?? (await newestRun('report')));
    printResult(flags, { report }, [report]);
  },
});
