// `mstar evaluate`: answers a data set and grades the answers, as a benchmark with its tables, or from stored rollouts.
// Leaves the work to jobs.ts.
import { join } from 'node:path';
import type { CommandModule } from 'yargs';
import {
  type BenchmarkSettings,
  benchmarkSchema,
  type EvaluateSettings,
  evaluateSchema,
  readingSchema,
} from '../config/sample.js';
import { UserError } from '../core/errors.js';
import type { Evaluation } from '../evaluate/evaluation.js';
import type { Judge } from '../judge/judge.js';
import { lastResortOf } from '../judge/regrade.js';
import { checkOutput, checkOutputFolder } from '../run/output.js';
import { describeSeconds } from '../run/terminal.js';
import type { Judging } from '../views/evaluation/tables.js';
import { flagOf, readingOf } from './data-flags.js';
import { describeJudge, type JudgeFlags, judgeFlags, openJudge } from './judge-flags.js';
import { percent } from './recipe.js';
import { type CommonFlags, displayOf, printResult } from './result.js';
import { describeOutcomes, failOn, schemaFlags, settingsOf } from './sample-flags.js';
import { stopSignal } from './stop.js';

type Flags = Record<string, unknown> &
  CommonFlags &
  JudgeFlags & { rollouts?: string; protocol?: string; benchmark?: string };

/** Settings that stored rollouts need as well. */
const WITH_ROLLOUTS = ['benchmark', 'data', 'out', 'seed', ...Object.keys(readingSchema.shape)];

const command: CommandModule<object, Flags> = {
  command: 'evaluate',
  describe: 'answer a data set and grade the answers; tables of a benchmark, from a model or from stored rollouts',
  builder: (yargs) =>
    judgeFlags(schemaFlags(yargs, benchmarkSchema, ['model', 'data', 'benchmark']))
      .option('rollouts', {
        type: 'string',
        describe: 'table of rollouts, or folder of mstar evaluate or rollout: makes the tables without a model',
      })
      .option('protocol', {
        type: 'string',
        describe: "whose verdicts the tables show; the benchmark's own when left out",
      })
      .example('mstar evaluate --model DIR --data FILE --image-root DIR --out runs/eval', 'greedy accuracy')
      .example(
        'mstar evaluate --benchmark mathvista --model DIR --data testmini.parquet --out runs/mathvista --n 16',
        'its tables, greedy and over 16 samples',
      )
      .example(
        'mstar evaluate --benchmark mathvista --rollouts runs/mathvista --protocol mstar --out runs/again',
        'the same responses by another protocol',
      ) as never,
  async handler(flags) {
    if (flags.rollouts !== undefined) return fromRollouts(flags, flags.rollouts);
    const absent = ['model', 'data'].find((name) => flags[name] === undefined);
    if (absent !== undefined)
      throw new UserError(
        `--${absent}: missing, wanted --model and --data, or --rollouts with what was sampled before`,
      );
    if (flags.benchmark !== undefined) return onBenchmark(flags);
    const alone = ['protocol', 'judge'].find((name) => flags[name] !== undefined);
    if (alone !== undefined) throw new UserError(`--${alone}: given alone, wanted --benchmark or --rollouts`);
    const sampled = Object.keys(settingsOf<object>(flags, benchmarkSchema)).find(
      (name) => !(name in evaluateSchema.shape),
    );
    if (sampled !== undefined)
      throw new UserError(`${flagOf(sampled)}: given without --benchmark, wanted both, or mstar rollout`);
    return onData(flags);
  },
};

async function onData(flags: Flags): Promise<void> {
  const settings = settingsOf<EvaluateSettings>(flags, evaluateSchema);
  const display = displayOf(flags);
  const { evaluate } = await import('../jobs/jobs.js');
  const summary = await evaluate(settings, { display, signal: stopSignal(display) });
  const { outcomes, all, bySource, seconds } = summary;
  printResult(flags, summary, [
    describeOutcomes(`${all.problems} problems`, outcomes),
    `accuracy ${percent(all.accuracy)} (${percent(all.low)} to ${percent(all.high)}) in ${describeSeconds(seconds)}`,
    ...Object.entries(bySource).map(
      ([source, { problems, accuracy }]) =>
        `  ${source.padEnd(20)} ${String(problems).padStart(6)}  ${percent(accuracy)}`,
    ),
    `files: ${join(settings.out, 'responses.jsonl')}, ${join(settings.out, 'summary.json')}`,
  ]);
  failOn(outcomes.error);
}

async function onBenchmark(flags: Flags): Promise<void> {
  const settings = settingsOf<BenchmarkSettings>(flags, benchmarkSchema);
  const display = displayOf(flags);
  const judge = openJudge(flags);
  const { evaluateBenchmark } = await import('../jobs/jobs.js');
  const options = {
    display,
    signal: stopSignal(display),
    protocol: flags.protocol,
    ...(judge && { judge: judgingBy(judge) }),
  };
  const evaluation = await evaluateBenchmark(settings, options);
  printResult(flags, evaluation, tables(evaluation, settings.out, judge));
  failOn(Math.max(0, ...evaluation.sets.map(({ failed }) => failed)));
}

async function fromRollouts(flags: Flags, rollouts: string): Promise<void> {
  const given = settingsOf<Record<string, unknown>>(flags, benchmarkSchema);
  const other = Object.keys(given).find((name) => !WITH_ROLLOUTS.includes(name));
  if (other !== undefined) {
    const flag = other.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new UserError(`--${flag}: given with --rollouts, wanted one of the two`);
  }
  const display = displayOf(flags);
  const { evaluateStored } = await import('../jobs/jobs.js');
  const { out, data } = given as { out: string; data?: string };
  await checkOutputFolder({ flag: '--out', path: out });
  const others = data === undefined ? [rollouts] : [rollouts, data];
  for (const ending of ['json', 'md', 'html'])
    await checkOutput({ flag: '--out', path: join(out, `evaluation.${ending}`), others, ofRun: true });
  const reading = readingOf(given);
  const judge = openJudge(flags);
  const options = { protocol: flags.protocol, ...(judge && { judge: judgingBy(judge) }) };
  const evaluation = await evaluateStored({ ...given, ...reading, ...options, out, rollouts }, { display });
  printResult(flags, evaluation, tables(evaluation, out, judge));
}

function judgingBy(judge: Judge): Judging {
  return {
    lastResort: lastResortOf(judge),
    use: () => ({ model: judge.model, asked: judge.counts.asked, read: judge.counts.read }),
  };
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

export default command;
