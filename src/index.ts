// The library: `import { loadModel, evolve, ... } from 'mstar'`. Everything here is typed and documented where it is defined.
export { analysePrm, type PrmOptions, writePrmAnalysis } from './analyse/analyse.js';
export type { PrmAnalysis } from './analyse/analysis.js';
export type { Relevance } from './analyse/tops.js';
export { type ConfigSource, loadConfig, resolveConfig, resolvePath } from './config/load.js';
export { listPresets } from './config/presets.js';
export type { BenchmarkSettings, EvaluateSettings, RolloutSettings } from './config/sample.js';
export type { Config, ConfigInput } from './config/schema.js';
export { EngineError, UserError } from './core/errors.js';
export type * from './core/ports.js';
export type * from './core/types.js';
export { loadProblems, openProblems, type ReadOptions } from './data/problems.js';
export { openSteps } from './data/steps/read.js';
export type { StepLabelled } from './data/steps/records.js';
export { messagesLine, stepwiseLine, visualPrmLine } from './data/steps/write.js';
export { createHost, type HostOptions, loadModel } from './engine/host.js';
export type { EvaluateSummary } from './evaluate/evaluate.js';
export type { Evaluation } from './evaluate/evaluation.js';
export type { Judging } from './evaluate/tables.js';
export type { Stage } from './evolve/plan.js';
export type { Summary } from './evolve/summary.js';
export { type GradeCounts, type GradeOptions, gradeFile } from './grade/grade-file.js';
export { type ExperimentSettings, experiment } from './job-experiment.js';
export {
  evaluate,
  evaluateBenchmark,
  evaluateStored,
  evolve,
  type JobOptions,
  label,
  type RecipeOptions,
  type RegradeOptions,
  rollout,
  type StoredSettings,
  trainPrm,
  warmup,
} from './jobs.js';
export type { JudgeOptions } from './judge/chat.js';
export { Judge } from './judge/judge.js';
export { lastResortOf } from './judge/regrade.js';
export { RELEVANCE_PROMPT, RelevanceJudge } from './judge/relevance.js';
export { writeProblems } from './problems/write.js';
export type { ReportTo } from './report/metrics/targets.js';
export { writeReport } from './report/report.js';
export { grade } from './reward/answer/grade.js';
export type { AnswerRow, Protocol } from './reward/protocol/protocol.js';
export { protocols } from './reward/protocol/registry.js';
export { splitSteps } from './reward/steps.js';
export type { RolloutSummary } from './rollout/sample.js';
export { Stopped } from './run/stop.js';
export { type Display, openDisplay } from './run/terminal.js';
