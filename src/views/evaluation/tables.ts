// The tables of an evaluation from stored rollouts: regraded, counted, written as JSON, Markdown and one page.
import { basename, dirname, resolve } from 'node:path';
import { makeFolder } from '../../core/files.js';
import type { Asked, Benchmark } from '../../evaluate/benchmarks/benchmark.js';
import type { Evaluation, JudgeUse, WrongAnswer } from '../../evaluate/evaluation.js';
import { type GradedSet, gradeStored } from '../../evaluate/graded.js';
import { storedFiles } from '../../evaluate/stored.js';
import { tabulateSet } from '../../evaluate/tabulate.js';
import { BOOTSTRAP } from '../../measure/bootstrap.js';
import type { LastResort } from '../../reward/protocol/protocol.js';
import { findProtocol } from '../../reward/protocol/registry.js';
import { writeDocument } from '../write.js';

/** Without a benchmark and without a name: the protocol that is also the reward of the training. */
const DEFAULT_PROTOCOL = 'mstar';

export interface TablesOptions {
  /** A table of rollouts, or a folder of `mstar evaluate` or `mstar rollout`. */
  readonly rollouts: string;
  readonly benchmark?: Benchmark;
  /** Instead of the benchmark's own. */
  readonly protocol?: string;
  /** Seeds the bootstrap. */
  readonly seed: number;
  /** What a data set says of problems, by id: tags and choices that the tables lack, and pictures that are not files. */
  readonly about?: ReadonlyMap<string, Asked>;
  readonly judge?: Judging;
}

/** Reads responses that no protocol can, and says how many they were. */
export interface Judging {
  readonly lastResort: LastResort;
  /** What the judge was asked for so far. */
  use(): JudgeUse;
}

/** @throws UserError where tables are damaged, do not fit the benchmark or a name is unknown */
export async function makeTables(options: TablesOptions): Promise<Evaluation> {
  const { benchmark = null, seed, about, judge } = options;
  const protocol = findProtocol(options.protocol ?? benchmark?.protocol ?? DEFAULT_PROTOCOL);
  const others = new Set([...(benchmark ? [benchmark.protocol, ...benchmark.besides] : [DEFAULT_PROTOCOL])]);
  others.delete(protocol.name);
  const protocols = [protocol, ...[...others].map(findProtocol)];
  const files = storedFiles(options.rollouts);
  const { sets, leftOut } = await gradeStored(files, { protocols, benchmark, about, lastResort: judge?.lastResort });
  const bootstrap = { ...BOOTSTRAP, seed };
  const greedy = sets.find(({ temperature }) => temperature === 0);
  const names = protocols.map(({ name }) => name);
  return {
    format: 1,
    benchmark: benchmark && { name: benchmark.name, title: benchmark.title },
    protocol: protocol.name,
    describe: protocol.describe,
    judge: judge?.use() ?? null,
    bootstrap,
    files: files.map((file) => basename(file)),
    leftOut,
    sets: sets.map((set) =>
      tabulateSet(set, names, benchmark, bootstrap, greedy && set !== greedy ? greedy : undefined),
    ),
    wrong: pickWrong(greedy ?? (sets[0] as GradedSet)),
  };
}

/**
 * Makes the tables and writes evaluation.json, evaluation.md and evaluation.html into `out`, the same bytes every time.
 * @throws UserError as `makeTables`, before anything is written
 */
export async function writeTables(out: string, options: TablesOptions): Promise<Evaluation> {
  const evaluation = await makeTables(options);
  // Charts take long to load: only who writes the page pays for them.
  const { describeEvaluation } = await import('./page.js');
  const folder = pictureFolder(storedFiles(options.rollouts)[0] as string);
  const document = await describeEvaluation(evaluation, { folder, about: options.about });
  await makeFolder(out);
  await writeDocument(out, 'evaluation', document, evaluation);
  return evaluation;
}

/** Where the picture paths of a table start: the folder of its run, which keeps the tables of the loop in `rollouts/`. */
function pictureFolder(file: string): string {
  const dir = dirname(resolve(file));
  return basename(dir) === 'rollouts' ? dirname(dir) : dir;
}

/** First responses that are not correct, spread evenly over all of them. */
function pickWrong({ name, problems }: GradedSet): WrongAnswer[] {
  const wrong = problems.flatMap(({ problem, first }) => (first ? [{ problem, first }] : []));
  const count = Math.min(12, wrong.length);
  return Array.from({ length: count }, (_, i) => {
    const { problem, first } = wrong[Math.floor((i * wrong.length) / count)] as (typeof wrong)[number];
    const { images, text, finish, grade } = first;
    return {
      set: name,
      problem: problem.id,
      question: problem.question,
      images,
      answer: problem.answer,
      text,
      finish,
      verdict: grade.verdict,
      reason: grade.reason,
    };
  });
}
