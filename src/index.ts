// The library: `import { loadModel, evolve, ... } from 'mstar'`. Everything here is typed and documented where it is defined.
export { type ConfigSource, listPresets, loadConfig, resolveConfig } from './config/load.js';
export type { EvaluateSettings, RolloutSettings } from './config/sample.js';
export type { Config, ConfigInput } from './config/schema.js';
export { EngineError, UserError } from './core/errors.js';
export type * from './core/ports.js';
export type * from './core/types.js';
export { loadProblems, openProblems } from './data/problems.js';
export { createHost, type HostOptions, loadModel } from './engine/host.js';
export type { EvaluateSummary } from './evaluate/evaluate.js';
export type { Stage } from './evolve/evolve.js';
export type { Summary } from './evolve/summary.js';
export { evaluate, evolve, type JobOptions, label, rollout, trainPrm, warmup } from './jobs.js';
export { writeProblems } from './problems/write.js';
export { grade } from './reward/answer/grade.js';
export { splitSteps } from './reward/steps.js';
export type { RolloutSummary } from './rollout/sample.js';
export { Stopped } from './run/stop.js';
export { type Display, openDisplay } from './run/terminal.js';
