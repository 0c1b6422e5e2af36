// `mstar experiment NAME...`: the paper's tables and figures on any scale, with seeds.
import { UserError } from '../core/errors.js';
import type { ExperimentSettings } from '../jobs/experiment.js';
import { checkOutputFolder } from '../run/output.js';
import { benchmarkFlags, benchmarksOf, pairsOf } from './benchmark-flags.js';
import { checkNotify, notifyFlag } from './notify.js';
import { linesOf, overRanks, rankFlags } from './ranks.js';
import { displayOf, printResult, verb } from './result.js';
import { stopSignal } from './stop.js';

export default verb({
  command: 'experiment <names..>',
  describe: "run the grids behind the paper's tables and figures: table1 to table5, dynamics",
  builder: (yargs) =>
    benchmarkFlags(
      notifyFlag(rankFlags(yargs))
        .positional('names', {
          type: 'string',
          demandOption: true,
          array: true,
          describe:
            'table1: methods and intervals; table2: selection; table3: unlabelled problems; table4: MathVista and its sub-tasks; table5: five benchmarks; dynamics; grpo: online reinforcement learning beside them',
        })
        .option('scale', {
          type: 'string',
          default: 'tiny',
          describe: 'tiny: the embedded model and problems; paper: its own numbers, with model and data by --set',
        })
        .option('seeds', {
          type: 'string',
          default: '1,2,3',
          describe: 'seeds of the runs, of data and splits as well',
        })
        .option('out', { type: 'string', default: 'runs/experiments', describe: 'folder for runs, tables and figures' })
        .option('finished', {
          type: 'boolean',
          default: false,
          describe: 'write the tables of the runs that are finished, and run nothing',
        })
        .option('set', {
          type: 'string',
          array: true,
          nargs: 1,
          default: [],
          describe: 'override a setting for all rows',
        })
        .option('model', {
          type: 'string',
          array: true,
          nargs: 1,
          default: [],
          describe: 'NAME=DIR: run all rows for this model, in a folder of its name; several for a table of several',
        })
        .option('model-set', {
          type: 'string',
          array: true,
          nargs: 1,
          default: [],
          describe: 'NAME:SETTING=VALUE: override a setting for the rows of one model',
        }),
      'table4, table5',
    )
      .example(
        '$0 experiment table1 --scale tiny --seeds 1,2,3',
        'Table 1 on the embedded model; the same line resumes it',
      )
      .example('$0 experiment table1 --gpus 8', 'each run over 8 GPUs')
      .example('$0 experiment table1 table2 table3 dynamics', 'all of them; rows they share are run once')
      .example('$0 experiment table1 table2 --finished', 'the tables of what is there, of other machines too')
      .example(
        '$0 experiment table2 --scale paper --seeds 1 --set model.path=DIR --set data.file=FILE',
        "the paper's Table 2 on a model of your own",
      )
      .example(
        '$0 experiment table4 table5 --scale paper --seeds 1 --model minicpm=DIR --model phi3v=DIR --model-set phi3v:prm.path=DIR --set data.file=FILE --benchmark-data mathvista=FILE --benchmark-data m3cot=FILE ...',
        "two of the paper's models on its benchmarks, the second with a PRM made elsewhere",
      )
      .epilogue(
        'Rows of a seed share the warm-up, the labels and the PRM. Each row is a run folder, OUT/SCALE/seed-N/ROW (with --model OUT/SCALE/MODEL/seed-N/ROW), for mstar report, runs and rollouts; its benchmarks lie beside it in ROW-benchmarks. At the scale tiny, generated problems stand in for benchmarks without --benchmark-data. Tables (Markdown, JSON, SVG) are written anew after each run.',
      ),
  async handler({ names, scale, seeds, out, finished, set, notify, ...flags }) {
    checkNotify(notify);
    const numbers = seeds.split(',').map((seed) => {
      if (!/^\d{1,9}$/.test(seed.trim()))
        throw new UserError(`--seeds: ${JSON.stringify(seed)}, wanted numbers like 1,2,3`);
      return Number(seed);
    });
    const [models, benchmarks] = [modelsOf(flags.model, flags.modelSet), benchmarksOf(flags)];
    await overRanks(
      flags,
      async ({ host, usage }) => {
        const { experiment } = await import('../jobs/experiment.js');
        const display = displayOf(flags, usage);
        await checkOutputFolder({ flag: '--out', path: out });
        const paths = await experiment(
          { names, scale, seeds: numbers, out, finished, set, models, benchmarks },
          { display, signal: stopSignal(display), ...(host && { host }) },
        );
        printResult(flags, { files: paths }, [...paths, ...(await linesOf(usage))]);
      },
      { url: notify, run: async () => out },
    );
  },
});

/** Throws UserError on values of another form, and on settings for a model that is not there. */
function modelsOf(models: readonly string[], sets: readonly string[]): NonNullable<ExperimentSettings['models']> {
  const named = [...pairsOf('model', models)].map(([name, path]) => ({ name, path, set: [] as string[] }));
  for (const text of sets) {
    const [name = '', ...setting] = text.split(':');
    const model = named.find((one) => one.name === name);
    if (!model || !setting.join(':').includes('='))
      throw new UserError(`--model-set: ${text}, wanted NAME:SETTING=VALUE with a name of --model`, 'ERR_SETTING');
    model.set.push(setting.join(':'));
  }
  return named;
}
