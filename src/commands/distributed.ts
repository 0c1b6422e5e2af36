// `mstar distributed check`: whether the processes of this machine or cluster work together, before a long run needs them.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../core/errors.js';
import type { Problem } from '../core/types.js';
import type { RanksChecked } from '../distributed/check.js';
import { findPlace } from '../hub/places.js';
import { overRanks, rankFlags } from './ranks.js';
import { displayOf, printResult, tableLines, verb } from './result.js';

const EMBEDDED = 'mstar:tiny';
const PROBLEMS = 4;

export default verb({
  command: 'distributed <action>',
  describe: 'measure what several processes exchange and compare what each computes with one process, in a minute',
  builder: (yargs) =>
    rankFlags(yargs)
      .positional('action', { choices: ['check'] as const, describe: 'what to do' })
      .option('model', {
        type: 'string',
        default: EMBEDDED,
        describe: 'model folder to sample from and train; the embedded model has its checkpoints compared, too',
      })
      .option('device', {
        choices: ['cpu', 'cuda'] as const,
        defaultDescription: 'cuda with --gpus, else cpu',
        describe: 'what the ranks compute on',
      })
      .example('mstar distributed check --gpus 8', 'the GPUs of this machine')
      .example('mstar distributed check --processes 2', 'two processes on its CPU')
      .example('srun --ntasks-per-node 8 mstar distributed check --device cuda', 'a cluster; so does torchrun')
      .epilogue('Ends with 0 where every rank computes the bytes of one process, with 1 where one does not.'),
  handler: (flags) =>
    overRanks(flags, async ({ ranks }) => {
      if (!ranks)
        throw new UserError('--processes: missing, wanted a number from 2, or --gpus, torchrun or srun', 'ERR_SETTING');
      const { model, device = flags.gpus === undefined ? 'cpu' : 'cuda' } = flags;
      const { checkRanks } = await import('../distributed/check.js');
      const options = {
        device,
        dtype: device === 'cuda' ? 'bfloat16' : 'float32',
        threads: 1,
        deterministic: true,
        maxImagePixels: 50_000_000,
        prompt: { solve: '{question}', givenAnswer: '{question}' },
      } as const;
      const temporary = await mkdtemp(join(tmpdir(), 'mstar-check-'));
      try {
        const checked = await checkRanks(ranks, options, {
          dir: await findPlace(model, { display: displayOf(flags) }),
          problems: await makeProblems(join(temporary, 'problems')),
          ...(model === EMBEDDED && { checkpoints: temporary }),
        });
        printResult(flags, checked, linesOf(checked));
        if (!checked.same) process.exitCode = 1;
      } finally {
        await rm(temporary, { recursive: true, force: true });
      }
    }),
});

/** Their pictures in memory: other machines do not see the files of this one. */
async function makeProblems(dir: string): Promise<Problem[]> {
  const [{ writeProblems }, { loadProblems }] = await Promise.all([
    import('../problems/write.js'),
    import('../data/problems.js'),
  ]);
  const { file, imageRoot } = await writeProblems(dir, { count: PROBLEMS, seed: 1 });
  const problems = await loadProblems(file, { imageRoot });
  const inMemory = (image: Problem['images'][number]) =>
    'path' in image ? readFile(image.path).then((bytes) => ({ bytes, name: image.path })) : image;
  return Promise.all(
    problems.map(async (problem) => ({ ...problem, images: await Promise.all(problem.images.map(inMemory)) })),
  );
}

function linesOf({ exchanges, ranks, trainsAlike, same }: RanksChecked): string[] {
  const mebibytes = (bytes: number): string => `${bytes / 2 ** 20} MiB`;
  const table = exchanges.map(({ exchange, bytes, seconds, gigabytesPerSecond }) => [
    exchange,
    mebibytes(bytes),
    `${(seconds * 1000).toFixed(1)} ms`,
    `${gigabytesPerSecond.toFixed(2)} GB/s`,
  ]);
  const rows = ranks.map(({ name, differs }) => [
    name,
    differs.length === 0 ? 'same bytes' : `other ${differs.join(', ')}`,
  ]);
  const step = ['optimizer step', trainsAlike ? 'same bytes' : 'other bytes'];
  const verdict = same
    ? `good: ${ranks.length} ranks compute the bytes of one process`
    : `BAD: ${ranks.length} ranks do not compute the bytes of one process`;
  return [
    ...tableLines([['exchange', 'a rank receives', 'time', 'from others'], ...table]),
    '',
    ...tableLines([['against one process', 'rollouts and log-probabilities, before and after a step'], ...rows, step]),
    verdict,
  ];
}
