// Medians, the machine's description, and where results of benchmarks go. Needs neither npm packages nor a model.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

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
