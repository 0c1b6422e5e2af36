// `mstar evaluate`: answers a data set and grades the answers, as a benchmark with its tables, or from stored rollouts.

import { join } from 'node:path';
import {
  type BenchmarkSettings,
  benchmarkSchema,
  type EvaluateSettings,
  evaluateSchema,
  evaluationOf,
  flagOf,
} from '../config/sample.js';
import { UserError } from '../core/errors.js';
import type { Evaluation } from '../evaluate/evaluation.js';
import { type Judge, lastResortOf } from '../judge/judge.js';
import { percent } from '../page/format.js';
import { checkOutput, checkOutputFolder } from '../run/output.js';
import { describeSeconds } from '../run/terminal.js';
import { type BenchmarkFlags, benchmarkFlags, benchmarksOf } from './benchmark-flags.js';
import { describeJudge, type JudgeFlags, judgeFlags, openJudge } from './judge-flags.js';
import { linesOf, type OverRanks, overRanks, type RankFlags, rankFlags } from './ranks.js';
import { type CommonFlags, displayOf, printResult, verb } from './result.js';
import { describeOutcomes, failOn, schemaFlags, settingsOf } from './sample-flags.js';
import { stopSignal } from './stop.js';

type Flags = Record<string, unknown> &
  CommonFlags &
  JudgeFlags &
  RankFlags &
  BenchmarkFlags & {
    rollouts?: string;
    protocol?: string;
    benchmark?: string;
    run?: string;
    benchmarks?: string;
  };

export default verb({
  command: 'evaluate',
  describe: 'answer a data set and grade the answers; tables of a benchmark, from a model or from stored rollouts',
  builder: (yargs) =>
    benchmarkFlags(
      judgeFlags(rankFlags(schemaFlags(yargs, benchmarkSchema, ['model', 'data', 'benchmark']))),
      'with --run',
    )
      .option('rollouts', {
        type: 'string',
        describe: 'table of rollouts, or folder of mstar evaluate or rollout: makes the tables without a model',
      })
      .option('protocol', {
        type: 'string',
        describe: "whose verdicts the tables show; the benchmark's own when left out",
      })
      .option('run', {
        type: 'string',
        describe: 'folder of mstar evolve: its base model, warm-up and last checkpoint on --benchmarks, in one table',
      })
      .option('benchmarks', {
        type: 'string',
        describe: 'with --run: names like mathvista,m3cot,mmstar-r,mmbench-r,ai2d',
      })
      .example(
        'mstar evaluate --run runs/a --benchmarks mathvista,ai2d --benchmark-data mathvista=testmini.parquet --benchmark-data ai2d=AI2D_TEST.tsv --out runs/a-benchmarks',
        'three checkpoints on two benchmarks; the same line resumes it',
      )
      .example('mstar evaluate --model DIR --data FILE --image-root DIR --out runs/eval', 'greedy accuracy')
      .example(
        'mstar evaluate --benchmark mathvista --model DIR --data testmini.parquet --out runs/mathvista --n 16',
        'its tables, greedy and over 16 samples',
      )
      .example(
        'mstar evaluate --benchmark mathvista --rollouts runs/mathvista --protocol mstar --out runs/again',
        'the same responses by another protocol',
      ),
  async handler(flags) {
    if (flags.rollouts !== undefined && (flags.processes ?? flags.gpus) !== undefined)
      throw new UserError('--rollouts: given with several processes, wanted one, as no model is asked', 'ERR_SETTING');
    await overRanks(flags, (over) => (flags.run === undefined ? onRank(flags, over) : onRun(flags, flags.run, over)));
  },
});

/** Flags that say with --run what they say elsewhere. */
const WITH_RUN = ['out', 'limit'];

async function onRun(flags: Flags, run: string, { host, usage }: OverRanks): Promise<void> {
  const given = settingsOf<{ out: string; limit?: number }>(flags, benchmarkSchema);
  const other = Object.keys({ ...given, ...(flags.rollouts !== undefined && { rollouts: 0 }) }).find(
    (name) => !WITH_RUN.includes(name),
  );
  if (other) throw new UserError(`${flagOf(other)}: given with --run, wanted one of the two`, 'ERR_SETTING');
  const names = (flags.benchmarks ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const withData = benchmarksOf(flags);
  const unasked = withData.find(({ name }) => !names.includes(name));
  if (unasked)
    throw new UserError(
      `--benchmark-data: ${unasked.name}, wanted a name of --benchmarks (${names.join(', ')})`,
      'ERR_SETTING',
    );
  const benchmarks = names.map((name) => {
    const found = withData.find((one) => one.name === name);
    if (!found) throw new UserError(`--benchmark-data: none for ${name}, wanted ${name}=FILE`, 'ERR_SETTING');
    return found;
  });
  const display = displayOf(flags, usage);
  const { evaluateRun } = await import('../jobs/benchmarks.js');
  const options = { display, signal: stopSignal(display), ...(host && { host }) };
  const table = await evaluateRun({ run, benchmarks, ...given }, options);
  const lines = table.rows.map(({ row, accuracy, average }) => {
    const cells = Object.entries(accuracy).map(([name, { mean }]) => `${name} ${percent(mean)}`);
    return `${row.padEnd(14)} ${[...cells, ...(average === null ? [] : [`average ${percent(average)}`])].join('  ')}`;
  });
  const files = ['json', 'md', 'html'].map((ending) => join(given.out, `benchmarks.${ending}`));
  printResult(flags, table, [...lines, ...(await linesOf(usage)), `files: ${files.join(', ')}`]);
}

async function onRank(flags: Flags, over: OverRanks): Promise<void> {
  const { rollouts, protocol, benchmarks, benchmarkData, benchmarkImages } = flags;
  for (const [name, value] of Object.entries({ benchmarks, benchmarkData, benchmarkImages }))
    if (value?.length) throw new UserError(`${flagOf(name)}: given without --run, wanted both`, 'ERR_SETTING');
  const given = settingsOf<Record<string, unknown>>(flags, benchmarkSchema);
  const kind = evaluationOf({ ...given, rollouts, protocol, judge: flags.judge });
  if (kind === 'greedy') return onData(flags, over);
  const { out } = given as { out: string };
  if (rollouts !== undefined) await checkTables(out, rollouts, given.data);
  const display = displayOf(flags, over.usage);
  const judge = openJudge(flags);
  const judging = judge && {
    lastResort: lastResortOf(judge),
    use: () => ({ model: judge.model, asked: judge.counts.asked, read: judge.counts.read }),
  };
  const { evaluate } = await import('../jobs/jobs.js');
  const evaluation = await evaluate(
    {
      ...(given as BenchmarkSettings),
      ...(rollouts !== undefined && { rollouts }),
      protocol,
      ...(judging && { judge: judging }),
    },
    { display, ...(over.host && { host: over.host }), ...(kind === 'benchmark' && { signal: stopSignal(display) }) },
  );
  printResult(flags, evaluation, [...tables(evaluation, out, judge), ...(await linesOf(over.usage))]);
  if (kind === 'benchmark') failOn(Math.max(0, ...evaluation.sets.map(({ failed }) => failed)));
}

/** Refuses an output that would take the place of what is read. */
async function checkTables(out: string, rollouts: string, data: unknown): Promise<void> {
  await checkOutputFolder({ flag: '--out', path: out });
  const others = typeof data === 'string' ? [rollouts, data] : [rollouts];
  for (const ending of ['json', 'md', 'html'])
    await checkOutput({ flag: '--out', path: join(out, `evaluation.${ending}`), others, ofRun: true });
}

async function onData(flags: Flags, { host, usage }: OverRanks): Promise<void> {
  const settings = settingsOf<EvaluateSettings>(flags, evaluateSchema);
  const display = displayOf(flags, usage);
  const { evaluate } = await import('../jobs/jobs.js');
  const summary = await evaluate(settings, { display, signal: stopSignal(display), ...(host && { host }) });
  const { outcomes, all, bySource, seconds } = summary;
  printResult(flags, summary, [
    describeOutcomes(`${all.problems} problems`, outcomes),
    `accuracy ${percent(all.accuracy)} (${percent(all.low)} to ${percent(all.high)}) in ${describeSeconds(seconds)}`,
    ...Object.entries(bySource).map(
      ([source, { problems, accuracy }]) =>
        `  ${source.padEnd(20)} ${String(problems).padStart(6)}  ${percent(accuracy)}`,
    ),
    ...(await linesOf(usage)),
    `files: ${join(settings.out, 'responses.jsonl')}, ${join(settings.out, 'summary.json')}`,
  ]);
  failOn(outcomes.error);
}

function tables({ benchmark, protocol, sets }: Evaluation, out: string, judge: Judge | undefined): string[] {
  const lines: string[] = [];
  for (const { name, questions, n, failed, scores, curves, parts } of sets) {
    const lost = failed > 0 ? `, ${failed} could not be sampled` : '';
    lines.push(`${benchmark?.title ?? 'evaluation'}, ${name}: ${questions} questions, ${n} each${lost}`);
    for (const { protocol: by, accuracy, vanilla, unreadable } of scores) {
      const interval = `${percent(accuracy.mean)} (${percent(accuracy.low)} to ${percent(accuracy.high)})`;
      const first = vanilla ? `, first rotation ${percent(vanilla.mean)}` : '';
      lines.push(`  accuracy by protocol ${by}: ${interval}${first}, unreadable ${percent(unreadable)}`);
    }
    const last = curves.map((curve) => `${curve.name} ${percent(curve.points.at(-1)?.mean ?? Number.NaN)}`);
    if (last.length > 0) lines.push(`  at N = ${n} by protocol ${protocol}: ${last.join(', ')}`);
    for (const { part, questions: some, accuracy } of parts[0]?.rows ?? []) {
      lines.push(`    ${part.padEnd(24)} ${String(some).padStart(6)}  ${percent(accuracy.mean)}`);
    }
  }
  if (judge) lines.push(describeJudge(judge.model, judge.counts));
  lines.push(`files: ${['json', 'md', 'html'].map((ending) => join(out, `evaluation.${ending}`)).join(', ')}`);
  return lines;
}
