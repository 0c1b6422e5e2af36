// mstar problems: makes picture problems with answers and writes them as a MathV360K data set.
import { join } from 'node:path';
import { UserError } from '../core/errors.js';
import { families } from '../problems/families.js';
import { defaultKnobs } from '../problems/problem.js';
import { writeProblems } from '../problems/write.js';
import { checkOutput, checkOutputFolder } from '../run/output.js';
import { printResult, requireInteger, verb } from './result.js';

export default verb({
  command: 'problems',
  describe: 'make picture problems with answers, in the MathV360K format',
  builder: (yargs) =>
    yargs
      .option('count', { type: 'number', demandOption: true, describe: 'problems to make' })
      .option('seed', { type: 'number', default: 1, describe: 'names every random choice' })
      .option('out', { type: 'string', demandOption: true, describe: 'folder for problems.json and data_images/' })
      .option('families', {
        type: 'string',
        array: true,
        describe: `families to take in turn: ${Object.keys(families).join(', ')}; all when left out`,
      })
      .option('range', { type: 'number', default: defaultKnobs.range, describe: 'values are 1 to this, 4 to 9' })
      .option('choice-share', {
        type: 'number',
        default: defaultKnobs.choiceShare,
        describe: 'share of multiple-choice problems',
      })
      .example('$0 problems --count 1000 --out problems', 'problems/problems.json and its pictures')
      .example('$0 problems --count 200 --seed 2 --range 4 --out easier', 'other ones, with smaller values'),
  async handler({ count, seed, out, families: names, range, choiceShare, ...flags }) {
    // yargs has checked the kinds of the values.
    requireInteger('--count', count, 1, 1_000_000);
    requireInteger('--seed', seed, 0);
    requireInteger('--range', range, 4, 9);
    if (!(choiceShare >= 0 && choiceShare <= 1))
      throw new UserError(`--choice-share: ${choiceShare}, wanted a number from 0 to 1`);
    for (const name of names ?? []) {
      if (!Object.hasOwn(families, name)) {
        throw new UserError(`--families: ${name}, wanted some of ${Object.keys(families).join(', ')}`);
      }
    }
    const flag = '--out';
    for (const path of [out, join(out, 'data_images')]) await checkOutputFolder({ flag, path });
    await checkOutput({ flag, path: join(out, 'problems.json') });
    const written = await writeProblems(out, { count, seed, families: names, range, choiceShare });
    const { count: made, file, imageRoot } = written;
    printResult(flags, written, [`${made} problems: ${file}, pictures under ${imageRoot}`]);
  },
});
