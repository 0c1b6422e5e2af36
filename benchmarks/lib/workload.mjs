// What the benchmarks share: the embedded model with generated problems, medians, and where results go.
// Leaves what is measured to each benchmark.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadModel, loadProblems, writeProblems } from '../../dist/index.js';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const model = path.join(root, 'assets/tiny-internvl2');

/** The embedded policy and `count` generated problems. */
export async function workload(count, threads) {
  const { file, imageRoot } = await writeProblems(path.join(root, 'runs/bench-problems'), { count, seed: 5 });
  const problems = await loadProblems(file, { imageRoot });
  return { policy: await loadModel(model, { threads, prompt: { system: 'Solve.' } }), problems };
}

/** Training examples from the problems' own right reasoning. */
export function examplesOf(policy, problems) {
  return problems.map((problem) => ({
    problem,
    variant: 'solve',
    response: policy.encodeResponse(problem.truth.steps.join('\n')),
  }));
}

export const optimizer = {
  lr: 1e-5,
  warmupSteps: 0,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weightDecay: 0,
  clip: 1,
  freeze: [],
};

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Seconds of CPU that this process has used. */
export function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

export function machine() {
  const [cpu] = cpus();
  const load = readFileSync('/proc/loadavg', 'utf8').split(' ').slice(0, 3).join(' ');
  return {
    cpu: cpu?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    load,
  };
}

/** Writes benchmarks/results/<theme>_<yyyymmdd>.json when `--save` is given. */
export function save(theme, result) {
  console.log(JSON.stringify(result, null, 2));
  if (!process.argv.includes('--save')) return;
  const day = new Date().toISOString().slice(0, 10).replaceAll('-', '');
  const file = path.join(root, 'benchmarks/results', `${theme}_${day}.json`);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ machine: machine(), ...result }, null, 2)}\n`);
  console.log(`wrote ${path.relative(root, file)}`);
}
