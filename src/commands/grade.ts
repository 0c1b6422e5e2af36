// `mstar grade`: grades the responses of a JSON-lines file by a named protocol.
import { type GradeCounts, gradeFile } from '../grade/grade-file.js';
import { lastResortOf } from '../judge/judge.js';
import { protocols } from '../reward/protocol/registry.js';
import { withInput } from './input.js';
import { describeJudge, judgeFlags, openJudge } from './judge-flags.js';
import { printResult, verb } from './result.js';

export default verb({
  command: 'grade <file>',
  describe: 'grade the responses of a JSON-lines file',
  builder: (yargs) =>
    judgeFlags(yargs)
      .positional('file', {
        type: 'string',
        demandOption: true,
        describe:
          'rows with id, question_type, answer_type, choices, precision, answer, response (docs/grading.md); - for standard input',
      })
      .option('out', {
        type: 'string',
        demandOption: true,
        describe: 'file for one row {id, extracted, normalised, correct, reason} each',
      })
      .option('protocol', {
        type: 'string',
        default: 'mstar',
        describe: [...protocols.values()].map(({ name, describe }) => `${name}: ${describe}`).join('; '),
      })
      .option('explain', { type: 'boolean', default: false, describe: 'add to each row how its verdict came about' })
      .example('mstar grade answers.jsonl --out grades.jsonl', "the project's own extractor")
      .example('mstar grade answers.jsonl --out grades.jsonl --protocol official', "each row by its benchmark's rule"),
  handler: async ({ file, out, protocol, explain, ...flags }) => {
    const judge = openJudge(flags);
    const lastResort = judge && lastResortOf(judge);
    const options = { out, protocol, explain, ...(lastResort && { lastResort }) };
    const counts = await withInput(file, (input) => gradeFile(input, options));
    const judged = judge ? [describeJudge(judge.model, judge.counts)] : [];
    const lines = [...summary(counts, protocol), ...judged, `grades: ${out}`];
    printResult(flags, { protocol, ...counts, ...(judge && { judge: judge.counts }), file: out }, lines, out);
  },
});

function summary(counts: GradeCounts, protocol: string): string[] {
  const { rows, correct, wrong, unreadable, recorded, agreed, rotations, seconds } = counts;
  const share = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(2)} %`;
  const speed = Math.round(rows / Math.max(seconds, 1e-3));
  return [
    `${rows} responses by protocol ${protocol}: ${correct} correct (${share(correct, rows)}), ${wrong} wrong, ${unreadable} unreadable (${share(unreadable, rows)}); ${speed} a second`,
    ...(recorded > 0 ? [`recorded verdicts: ${agreed} of ${recorded} agree (${share(agreed, recorded)})`] : []),
    ...(rotations
      ? [
          `rotations of ${rotations.questions} questions: circular ${share(rotations.circular, 1)}, vanilla ${share(rotations.vanilla, 1)}`,
        ]
      : []),
  ];
}
