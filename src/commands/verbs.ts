// The verbs of the command line, one per file of this folder but for the first stages of a recipe.
import type { CommandModule } from 'yargs';
import check from './check.js';
import data from './data.js';
import distributed from './distributed.js';
import doctor from './doctor.js';
import evaluate from './evaluate.js';
import evolve from './evolve.js';
import experiment from './experiment.js';
import exportRun from './export.js';
import grade from './grade.js';
import init from './init.js';
import preset from './preset.js';
import prm from './prm.js';
import problems from './problems.js';
import report from './report.js';
import rollout from './rollout.js';
import rolloutsQuery from './rollouts.js';
import runs from './runs.js';
import serve from './serve.js';
import { label, trainPrm, warmup } from './stages.js';
import watch from './watch.js';

/** In the order of --help. */
export const verbs = [
  init,
  evolve,
  warmup,
  label,
  trainPrm,
  prm,
  rollout,
  evaluate,
  grade,
  experiment,
  report,
  runs,
  serve,
  watch,
  rolloutsQuery,
  exportRun,
  problems,
  preset,
  check,
  data,
  doctor,
  distributed,
] as CommandModule[];
