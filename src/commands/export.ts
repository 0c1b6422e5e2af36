// `mstar export RUN`: step labels or training examples of a run, as JSON lines for other trainers.
import { EXPORTS, exportRun } from '../jobs/export.js';
import { printResult, verb } from './result.js';

export default verb({
  command: 'export <run>',
  describe: 'write step labels or training examples of a run in the forms of other trainers',
  builder: (yargs) =>
    yargs
      .positional('run', { type: 'string', demandOption: true, describe: 'run folder' })
      .option('as', {
        choices: EXPORTS,
        demandOption: true,
        describe:
          'visualprm: steps_with_score; stepwise: TRL stepwise supervision, hard labels; messages: the responses that were trained on, as conversations; tensorboard: the curves of the run, finished or not',
      })
      .option('out', {
        type: 'string',
        demandOption: true,
        describe: 'JSON-lines file to write; for tensorboard the folder of its logs',
      })
      .example('$0 export runs/demo --as visualprm --out labels.jsonl', 'soft labels for another PRM trainer')
      .example('$0 export runs/demo --as tensorboard --out logs', 'then tensorboard --logdir logs'),
  async handler({ run, as, out, ...flags }) {
    const { file, count } = await exportRun(run, { as, out });
    const shown = count.toLocaleString('en-US');
    if (as === 'tensorboard') printResult(flags, { scalars: count, file }, [`${shown} scalars: ${file}`]);
    else printResult(flags, { lines: count, file }, [`${shown} lines: ${file}`], file);
  },
});
