// The library: `import { loadModel, evolve, ... } from 'mstar'`. Everything here is typed and documented where it is defined;
// functions come by way of library.ts, which looks at their arguments.

export type { ConfigSource } from './config/load.js';
export { listPresets } from './config/presets.js';
export type { BenchmarkSettings, EvaluateSettings, RolloutSettings, StoredSettings } from './config/sample.js';
export type { Config, ConfigInput } from './config/schema.js';
export { EngineError, UserError } from './core/errors.js';
export type * from './core/ports.js';
export type * from './core/types.js';
export type { ReadOptions } from './data/problems.js';
export type { StepLabelled } from './data/steps/records.js';
export type { HostOptions } from './engine/host.js';
export type { EvaluateSummary } from './evaluate/evaluate.js';
export type { Evaluation } from './evaluate/evaluation.js';
export type { Stage } from './evolve/recipe.js';
export type { Summary } from './evolve/summary.js';
export type { GradeCounts, GradeOptions } from './grade/grade-file.js';
export type { ExperimentSettings } from './jobs/experiment.js';
export type { GradingSettings, JobOptions, RecipeOptions } from './jobs/jobs.js';
export type { OpenedRun, RunRow } from './jobs/open-run.js';
export type { JudgeOptions } from './judge/chat.js';
export { RELEVANCE_PROMPT } from './judge/relevance.js';
export {
  createHost,
  evaluate,
  evolve,
  experiment,
  grade,
  gradeFile,
  Judge,
  lastResortOf,
  loadConfig,
  loadModel,
  loadProblems,
  messagesLine,
  openDisplay,
  openProblems,
  openRun,
  openSteps,
  RelevanceJudge,
  resolveConfig,
  resolvePath,
  rollout,
  splitSteps,
  stepwiseLine,
  visualPrmLine,
  writeProblems,
} from './library.js';
export type { QueryResult } from './record/query.js';
export type { AnswerRow, Protocol } from './reward/protocol/protocol.js';
export { protocols } from './reward/protocol/registry.js';
export type { RolloutSummary } from './rollout/sample.js';
export { Stopped } from './run/stop.js';
export type { Display } from './run/terminal.js';
export type { Judging } from './views/evaluation/tables.js';
export type { ReportTo } from './views/metrics/targets.js';
export type { PrmOptions } from './views/prm/analyse.js';
export type { PrmAnalysis } from './views/prm/analysis.js';
export type { Relevance } from './views/prm/tops.js';
