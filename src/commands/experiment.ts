// `mstar experiment NAME...`: the paper's tables and figures on any scale, with seeds.
import { UserError } from '../core/errors.js';
import { checkOutputFolder } from '../run/output.js';
import { checkNotify, notifyFlag } from './notify.js';
import { linesOf, overRanks, rankFlags } from './ranks.js';
import { displayOf, printResult, verb } from './result.js';
import { stopSignal } from './stop.js';

export default verb({
  command: 'experiment <names..>',
  describe: "run the grids behind the paper's tables and figures: table1, table2, table3, dynamics",
  builder: (yargs) =>
    notifyFlag(rankFlags(yargs))
      .positional('names', {
        type: 'string',
        demandOption: true,
        array: true,
        describe: 'table1: methods and intervals; table2: selection; table3: unlabelled problems; dynamics',
      })
      .option('scale', {
        type: 'string',
        default: 'tiny',
        describe: 'tiny: the embedded model and problems; paper: its own numbers, with model and data by --set',
      })
      .option('seeds', { type: 'string', default: '1,2,3', describe: 'seeds of the runs, of data and splits as well' })
      .option('out', { type: 'string', default: 'runs/experiments', describe: 'folder for runs, tables and figures' })
      .option('set', {
        type: 'string',
        array: true,
        nargs: 1,
        default: [],
        describe: 'override a setting for all rows',
      })
      .example(
        '$0 experiment table1 --scale tiny --seeds 1,2,3',
        'Table 1 on the embedded model; the same line resumes it',
      )
      .example('$0 experiment table1 --gpus 8', 'each run over 8 GPUs')
      .example('$0 experiment table1 table2 table3 dynamics', 'all of them; rows they share are run once')
      .example(
        '$0 experiment table2 --scale paper --seeds 1 --set model.path=DIR --set data.file=FILE',
        "the paper's Table 2 on a model of your own",
      )
      .epilogue(
        'Rows of a seed share the warm-up, the labels and the PRM. Each row is a run folder, OUT/SCALE/seed-N/ROW, for mstar report, runs and rollouts. Tables (Markdown, JSON, SVG) are written anew after each run.',
      ),
  async handler({ names, scale, seeds, out, set, notify, ...flags }) {
    checkNotify(notify);
    const numbers = seeds.split(',').map((seed) => {
      if (!/^\d{1,9}$/.test(seed.trim()))
        throw new UserError(`--seeds: ${JSON.stringify(seed)}, wanted numbers like 1,2,3`);
      return Number(seed);
    });
    await overRanks(
      flags,
      async ({ host, usage }) => {
        const { experiment } = await import('../jobs/experiment.js');
        const display = displayOf(flags, usage);
        await checkOutputFolder({ flag: '--out', path: out });
        const paths = await experiment(
          { names, scale, seeds: numbers, out, set },
          { display, signal: stopSignal(display), ...(host && { host }) },
        );
        printResult(flags, { files: paths }, [...paths, ...(await linesOf(usage))]);
      },
      { url: notify, run: async () => out },
    );
  },
});
