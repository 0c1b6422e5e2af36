// `mstar rollouts RUN SQL`: asks the rollouts of a run, its step labels and its optimizer steps.
import { printable } from '../core/printable.js';
import { queryRollouts } from '../record/query.js';
import { printResult, tableLines, verb } from './result.js';

const WIDEST = 60;

export default verb({
  command: 'rollouts <run> <sql>',
  describe: 'ask a run, finished or not, in SQL: tables rollouts (responses), labels, steps (optimizer steps)',
  builder: (yargs) =>
    yargs
      .positional('run', { type: 'string', demandOption: true, describe: 'run folder' })
      .positional('sql', {
        type: 'string',
        demandOption: true,
        describe: 'one query; the column phase of rollouts and steps says where a row is from',
      })
      .example(
        '$0 rollouts runs/demo "select phase, verdict, count(*) from rollouts group by all order by all"',
        'verdicts by phase',
      )
      .example(
        '$0 rollouts runs/demo "select question, text, reward from rollouts where lucky limit 5"',
        'right answers by wrong chains',
      )
      .example(
        '$0 rollouts runs/first "select step, label, count(*) from labels group by all order by all"',
        'step labels',
      )
      .example('$0 rollouts runs/demo "select phase, avg(loss) from steps group by phase" --json', 'training'),
  async handler({ run, sql, ...flags }) {
    const { columns, rows } = await queryRollouts(run, sql);
    const cells = rows.map((row) => columns.map((column) => shown(row[column])));
    printResult(flags, rows, tableLines([columns, ...cells]));
  },
});

function shown(value: unknown): string {
  // Before the widths are taken and the text is cut.
  const text = printable((typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).replace(/\s+/g, ' '));
  return text.length > WIDEST ? `${text.slice(0, WIDEST - 3)}...` : text;
}
