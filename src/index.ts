// The library: `import { loadModel, evolve, ... } from 'mstar'`. Everything here is typed and documented where it is defined;
// functions come by way of library/, which looks at their arguments. `mstar/data`, `mstar/grade` and `mstar/judge` are there too.

export type { ConfigSource } from './config/load.js';
export { listPresets } from './config/presets.js';
export type { BenchmarkSettings, EvaluateSettings, RolloutSettings, StoredSettings } from './config/sample.js';
export type { Config, ConfigInput } from './config/schema.js';
export { EngineError, Stopped, UserError } from './core/errors.js';
export type * from './core/ports.js';
export type * from './core/types.js';
export type { HostOptions, LoadOptions, NativeHost } from './engine/host.js';
export type { GenerateOptions, NativePolicy } from './engine/policy.js';
export type { NativeScorer } from './engine/prm.js';
export type { EvaluateSummary } from './evaluate/evaluate.js';
export type { Evaluation } from './evaluate/evaluation.js';
export type { Stage } from './evolve/recipe.js';
export type { Summary } from './evolve/summary.js';
export type { ExperimentSettings } from './jobs/experiment.js';
export type { GradingSettings, JobOptions, RecipeOptions } from './jobs/jobs.js';
export type { OpenedRun, RunRow } from './jobs/open-run.js';
export {
  createHost,
  evaluate,
  evolve,
  experiment,
  loadConfig,
  loadModel,
  openDisplay,
  openRun,
  resolveConfig,
  rollout,
} from './library/root.js';
export type { QueryResult } from './record/query.js';
export type {
  GreedyMeasure,
  IterationResult,
  LabelResult,
  Measurement,
  PrmResult,
  SampleMeasure,
  StepQuality,
  ThresholdDecision,
  WarmupResult,
} from './record/results.js';
export type { RolloutSummary } from './rollout/sample.js';
export type { Display } from './run/terminal.js';
export type { Judging } from './views/evaluation/tables.js';
export type { ReportTo } from './views/metrics/files.js';
export type { PrmOptions } from './views/prm/analyse.js';
export type { PrmAnalysis } from './views/prm/analysis.js';
export type { Relevance } from './views/prm/selection.js';
