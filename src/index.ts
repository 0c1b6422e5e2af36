// The library: `import { loadModel, evolve, ... } from 'mstar'`. Everything here is typed and documented where it is defined;
// functions come by way of library/, which looks at their arguments. `mstar/data`, `mstar/grade` and `mstar/judge` are there too.

export type { ConfigSource } from './config/load.js';
export { listPresets } from './config/presets.js';
export type { BenchmarkSettings, EvaluateSettings, RolloutSettings, StoredSettings } from './config/sample.js';
export type { Config, ConfigInput } from './config/schema.js';
export { EngineError, type EngineErrorCode, Stopped, UserError, type UserErrorCode } from './core/errors.js';
export type * from './core/ports.js';
export type * from './core/types.js';
export type { ProblemInput, ProblemSource, ShortProblem } from './data/given.js';
export type {
  AnswerOptions,
  GenerateOptions,
  Question,
  StreamedResponse,
  StreamOptions,
} from './engine/ask.js';
export type { ModelSummary } from './engine/check.js';
export type { Diagnosis } from './engine/doctor.js';
export type { HostOptions, LoadOptions, NativeHost } from './engine/host.js';
export type { Item, PhasePlan } from './engine/plan.js';
export type { NativePolicy } from './engine/policy.js';
export type { NativeScorer } from './engine/prm.js';
export type { EvaluateSummary } from './evaluate/evaluate.js';
export type { Evaluation } from './evaluate/evaluation.js';
export type { SelectCandidate, Selected, SelectFunction, Weighted } from './evolve/custom.js';
export type { PhaseHooks } from './evolve/evolve.js';
export type { PhaseResult } from './evolve/phases.js';
export type { Stage } from './evolve/recipe.js';
export type { Summary } from './evolve/summary.js';
export type { RunBenchmarks } from './jobs/benchmarks.js';
export type { Checked, CheckedData, CheckOptions, DataToCheck, DoctorOptions, MemoryPlan } from './jobs/check.js';
export type { CompareOptions } from './jobs/compare.js';
export type { ExperimentSettings } from './jobs/experiment.js';
export type { Exported, ExportOptions } from './jobs/export.js';
export type { GradingSettings } from './jobs/jobs.js';
export type { OpenedRun, RunRow } from './jobs/open-run.js';
export type { JobOptions, RecipeOptions, SampleOptions, WithoutData } from './jobs/options.js';
export {
  check,
  compareRuns,
  createHost,
  doctor,
  evaluate,
  evaluateRun,
  evolve,
  experiment,
  listRuns,
  loadConfig,
  loadModel,
  openDisplay,
  openRun,
  resolveConfig,
  rollout,
} from './library/root.js';
export type { QueryResult } from './record/query.js';
export type {
  ChoiceCounts,
  FinalResult,
  FitReport,
  GreedyMeasure,
  IterationResult,
  LabelResult,
  Measurement,
  PrmResult,
  SampleMeasure,
  StepQuality,
  TemperatureDecision,
  TestResult,
  ThresholdDecision,
  WarmupResult,
} from './record/results.js';
export type { RatedResponse } from './record/rollout.js';
export type { RolloutSummary } from './rollout/sample.js';
export type { Display } from './run/terminal.js';
export type { Comparison } from './views/compare/comparison.js';
export type { BenchmarkRow, BenchmarkTable } from './views/evaluation/benchmarks.js';
export type { Judging } from './views/evaluation/tables.js';
export type { ReportTo } from './views/metrics/files.js';
export type { PrmOptions } from './views/prm/analyse.js';
export type { PrmAnalysis } from './views/prm/analysis.js';
export type { Relevance } from './views/prm/selection.js';
export type { RunLine } from './views/run/runs.js';
