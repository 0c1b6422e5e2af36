// The analysis of a run's PRM (P11) from its folder alone: numbers, then prm.json, prm.md, prm.html and the figures as
// files.

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../core/errors.js';
import { makeFolder } from '../../core/files.js';
import { gradeStored } from '../../evaluate/graded.js';
import { tabulateSet } from '../../evaluate/tabulate.js';
import { iterationName } from '../../evolve/phases.js';
import { BOOTSTRAP } from '../../measure/bootstrap.js';
import {
  HELD_OUT_FILE,
  type HeldOutResponse,
  LABELS_FILE,
  type LabelledResponse,
  readHeldOut,
  readLabels,
} from '../../record/labels.js';
import { findProtocol } from '../../reward/protocol/registry.js';
import { fileOf, type RunData, readRun, tableOf } from '../run/read.js';
import { writeDocument } from '../write.js';
import type { Choosing, PrmAnalysis, Selection } from './analysis.js';
import { allScored, calibrationOf, rankingOf, truthOf } from './measures.js';
import { type AskedProblem, readProblems } from './read.js';
import { type Relevance, selectionOf, topsOf } from './selection.js';

/** Verdicts of this protocol are those of the training. */
const PROTOCOL = 'mstar';
/** Validation problems, sampled by the warm-up checkpoint, which the PRM was made for. */
const TABLE = 'dynamics-0000';

/** Which samples of a run its process reward model is measured on. */
export interface PrmOptions {
  /** Name of the table with scored samples; `dynamics-0000`. */
  readonly table?: string;
  /** Of the samples to look at; the nearest to `evolve.temperature` when left out. */
  readonly temperature?: number;
  /** Iteration whose responses the selection rules are applied to; 1. */
  readonly iteration?: number;
  /** Seeds the bootstrap; 1. */
  readonly seed?: number;
  readonly relevance?: Relevance;
}

/**
 * Analyses the PRM of a run folder, finished or not. What the folder lacks is named in `missing`.
 * @throws UserError where the folder holds no run of the loop, a file of it is damaged, or a table asked for is not there
 */
export async function analysePrm(dir: string, options: PrmOptions = {}): Promise<PrmAnalysis> {
  const run = await readRun(dir);
  const bootstrap = { ...BOOTSTRAP, seed: options.seed ?? 1 };
  const missing: string[] = [];
  const { table = TABLE, relevance } = options;
  const file = tableOf(dir, table);
  if (!file && options.table !== undefined) throw noTable(dir, table);
  const [labelsFile, heldOutFile] = [fileOf(dir, LABELS_FILE), fileOf(dir, HELD_OUT_FILE)];
  const labelled = labelsFile ? await readLabels(labelsFile) : null;
  const heldOut = heldOutFile ? await readHeldOut(heldOutFile) : [];
  const samples = file ? await samplesOf(run, file, table, options, bootstrap) : null;
  if (!file)
    missing.push(`rollouts/${table}.parquet: nothing on choosing among samples, on ranking and on the top two.`);
  const sampled = samples?.problems ?? [];
  const ranking = samples && rankingOf(sampled, bootstrap);
  if (samples && !allScored(sampled))
    missing.push(`Rewards of all responses of ${table}: nothing on best-of-N, the weighted vote and ranking.`);
  const tops = samples && (await topsOf(sampled, bootstrap, relevance));
  if (samples && !tops)
    missing.push(
      `A problem of ${table} with more than two distinct correct responses that have rewards: nothing on the top two.`,
    );
  if (tops && !relevance)
    missing.push('Relevance to the question: it is rated by a language model, on demand (--judge).');
  if (heldOut.length === 0)
    missing.push(
      run.setting('prm.path') === undefined
        ? `${HELD_OUT_FILE}: the run kept no responses out of the training of its PRM, so nothing on calibration.`
        : 'Step labels: the PRM was made elsewhere, so nothing on calibration.',
    );
  const trained = labelled && trainedSteps(labelled, heldOut);
  if (heldOut.length > 0 && !labelled) missing.push(`${LABELS_FILE}: nothing to compare the squared error with.`);
  const truth = truthOf({ heldOut, labelled: labelled ?? [], sampled, table }, bootstrap);
  if (!truth) missing.push('True reasoning, which only generated problems have: nothing on right steps and on luck.');
  const selection = await selectionsOf(run, options, { table, problems: sampled }, missing, bootstrap);
  return {
    format: 1,
    bootstrap,
    table,
    temperature: samples?.choosing.temperature ?? null,
    missing,
    choosing: samples?.choosing ?? null,
    ranking,
    tops,
    calibration: heldOut.length > 0 ? calibrationOf(heldOut, trained ?? [], bootstrap) : null,
    truth,
    selection,
  };
}

/**
 * Analyses and writes prm.json, prm.md, prm.html and a file for each figure into `out`, the same bytes every time.
 * @throws UserError as `analysePrm`, before anything is written
 */
export async function writePrmAnalysis(dir: string, out: string, options: PrmOptions = {}): Promise<PrmAnalysis> {
  const analysis = await analysePrm(dir, options);
  const { name } = await readRun(dir);
  // Charts take long to load: only who writes the page pays for them.
  const { describeAnalysis, drawFigures, FIGURES } = await import('./page.js');
  const figures = drawFigures(analysis);
  await makeFolder(out);
  await writeDocument(out, 'prm', describeAnalysis(name, analysis, figures), analysis, figures);
  // A figure of an earlier analysis would pass for one of this.
  for (const id of FIGURES)
    if (!figures.some((drawn) => drawn.id === id)) await rm(join(out, `${id}.svg`), { force: true });
  return analysis;
}

/** Problems are held out whole, so what was trained on is everything else. */
function trainedSteps(
  labelled: readonly LabelledResponse[],
  heldOut: readonly HeldOutResponse[],
): LabelledResponse['steps'] {
  const out = new Set(heldOut.map(({ problem }) => problem));
  return labelled.filter(({ problem }) => !out.has(problem)).flatMap(({ steps }) => steps);
}

/** The samples of a table at one temperature: as sets of `mstar evaluate`, and with the scores of their steps. */
async function samplesOf(
  run: RunData,
  file: string,
  table: string,
  { temperature }: PrmOptions,
  bootstrap: PrmAnalysis['bootstrap'],
): Promise<{ readonly choosing: Choosing; readonly problems: readonly AskedProblem[] }> {
  const { sets } = await gradeStored([file], { protocols: [findProtocol(PROTOCOL)], benchmark: null });
  const there = sets.filter((set) => set.temperature > 0).map((set) => set.temperature);
  const usual = Number(run.setting('evolve.temperature') ?? 1);
  const distance = (one: number): number => Math.abs(one - usual);
  // The lower one of two that are equally near.
  const wanted = temperature ?? there.toSorted((a, b) => distance(a) - distance(b) || a - b)[0] ?? 0;
  const set = sets.find((one) => one.temperature === wanted && wanted > 0);
  if (!set) {
    const found = temperature === undefined ? 'greedy responses only' : temperature;
    const choice = there.length > 0 ? `one of ${there.join(', ')}` : 'a table with samples';
    throw new UserError(`${file}: temperature: ${found}, wanted ${choice}`);
  }
  const greedy = sets.find((one) => one.temperature === 0);
  const { parts: _, ...choosing } = tabulateSet(set, [PROTOCOL], null, bootstrap, greedy);
  const problems: AskedProblem[] = [];
  for await (const problem of readProblems(file)) if (problem.temperature === wanted) problems.push(problem);
  return { choosing: { ...choosing, name: `${table}, ${set.name}` }, problems };
}

/** On an iteration's responses where the run gave them rewards, else on the samples. */
async function selectionsOf(
  run: RunData,
  { iteration }: PrmOptions,
  samples: { readonly table: string; readonly problems: readonly AskedProblem[] },
  missing: string[],
  bootstrap: PrmAnalysis['bootstrap'],
): Promise<Selection | null> {
  const name = iterationName(iteration ?? 1);
  const seed = Number(run.setting('seed') ?? 1);
  // Runs of before the setting dropped them.
  const repeats = run.setting('evolve.select.repeats') === 'keep' ? 'keep' : 'drop';
  const file = tableOf(run.dir, name);
  if (!file && iteration !== undefined) throw noTable(run.dir, name);
  const found = file && (await selectionOf(readProblems(file), { table: name, seed, repeats }, bootstrap));
  if (found) return found;
  const { table, problems } = samples;
  const other = await selectionOf(problems, { table, seed, repeats }, bootstrap);
  const lacks = file ? `Rewards of the correct responses of ${name}` : `rollouts/${name}.parquet`;
  missing.push(
    `${lacks}: ${other ? `selection rules are applied to ${table} instead` : 'nothing on selection rules'}.`,
  );
  return other;
}

/** A table that was asked for by name and is not there. */
export function noTable(dir: string, name: string): UserError {
  return new UserError(`${join(dir, 'rollouts', `${name}.parquet`)}: table: no such file, wanted a table of the run`);
}
