// Side by side with peers: workers that answer JSON lines, run in turn (A B C A B C), rates per CPU second and per wall second.
// The peers are set up outside this project: MSTAR_PEERS names the folder with plain.py, MSTAR_PEERS_PYTHON a Python with torch and
// transformers, MSTAR_PEERS_CACHE the folder with llama.cpp's driver and the models T and S. Leaves what is asked to rollout.mjs, label.mjs,
// train.mjs, score.mjs and threads.mjs.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { machine, median, root, save } from './results.mjs';

const folder = process.env.MSTAR_PEERS ?? path.join(root, '../shared/perf');
const python = process.env.MSTAR_PEERS_PYTHON ?? 'python3';
const cache = process.env.MSTAR_PEERS_CACHE ?? path.join(homedir(), '.cache/mstar-perf');
const here = path.dirname(fileURLToPath(import.meta.url));
const TICKS = 100;

export const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? otherwise : process.argv[at + 1];
};

/** CPU seconds of a process, all its threads. */
function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Seconds that all cores were busy since the machine started. */
function busySeconds() {
  const fields = readFileSync('/proc/stat', 'utf8').split('\n')[0].trim().split(/\s+/).slice(1, 8).map(Number);
  return (fields.reduce((sum, value) => sum + value, 0) - fields[3] - fields[4]) / TICKS;
}

class Worker {
  #process;
  #answers;

  constructor(command, args, threads, encode, options = {}) {
    const env = {
      ...process.env,
      THREADS: String(threads),
      OMP_NUM_THREADS: String(threads),
      MKL_NUM_THREADS: String(threads),
    };
    env.BACKEND_DIR = path.join(cache, 'npm/node_modules/@node-llama-cpp/linux-x64/bins/linux-x64');
    env.HF_HUB_OFFLINE = '1';
    // llama.cpp with a cache per sequence instead of one that all share.
    if (options.split) env.KV_SPLIT = '1';
    this.#process = spawn(command, args, {
      stdio: ['pipe', 'pipe', process.argv.includes('--verbose') ? 'inherit' : 'ignore'],
      env,
    });
    this.#process.on('error', () => {});
    this.#answers = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
    this.encode = encode;
  }

  async answer() {
    for (;;) {
      const { value, done } = await this.#answers.next();
      if (done) throw new Error('the worker ended');
      if (value.startsWith('{')) return JSON.parse(value);
    }
  }

  /** Asks and waits: tokens, and seconds of wall, CPU and other processes' CPU. */
  async ask(request) {
    const { pid } = this.#process;
    const [cpu, busy, started] = [cpuSeconds(pid), busySeconds(), performance.now()];
    this.#process.stdin.write(`${this.encode(request)}\n`);
    const answer = await this.answer();
    if (answer.error) throw new Error(answer.error);
    const wall = (performance.now() - started) / 1000;
    const own = cpuSeconds(pid) - cpu;
    // A worker that leaves part of its work out measures itself.
    return { wall, cpu: own, ...answer, others: Math.max(0, busySeconds() - busy - own) / wall };
  }

  close() {
    this.#process.stdin.end();
  }
}

const llamaLine = ({ prompts, tokens, samples, new: fresh, steps, stepTokens }) =>
  steps
    ? `mc ${prompts} ${tokens} ${steps} ${stepTokens} ${samples} ${fresh}`
    : `sample ${prompts} ${tokens} ${samples} ${fresh} ${prompts * samples}`;

/** Starts what is asked for; a peer that cannot start is left out, and said so. */
export async function start(kind, model, threads, load) {
  const engine = kind === 'mstar';
  const llama = kind.startsWith('llamacpp');
  const needed = engine ? [] : llama ? [path.join(cache, 'bin/llamacpp_bench')] : [path.join(folder, 'plain.py')];
  const missing = [...needed, ...(engine ? [] : [path.join(cache, 'models', model)])].find((file) => !existsSync(file));
  if (missing) throw new Error(`${missing} is missing`);
  if (llama) {
    const file = path.join(
      cache,
      'models',
      model,
      kind.startsWith('llamacpp_f16') ? 'model-f16.gguf' : 'model-f32.gguf',
    );
    return {
      worker: new Worker(path.join(cache, 'bin/llamacpp_bench'), [file], threads, llamaLine, {
        split: kind.endsWith('_split'),
      }),
    };
  }
  const [command, args] = engine
    ? [process.execPath, [path.join(here, '../peers/engine.mjs'), model, String(threads)]]
    : load.train || load.score
      ? [python, [path.join(here, '../peers/train.py'), path.join(cache, 'models', model), String(threads)]]
      : [python, [path.join(here, '../peers/worker.py'), path.join(cache, 'models', model), folder, String(threads)]];
  const worker = new Worker(command, args, threads, (request) => JSON.stringify(request));
  return { worker, ready: await worker.answer() };
}

const spread = (values) => ({ median: median(values), least: Math.min(...values), most: Math.max(...values) });

/**
 * Runs one load on every competitor, in turn. Rates are tokens per CPU second where there is one thread (nothing then
 * spins, and other jobs do not count), and per wall second.
 * @param competitors name -> what `do` says to the worker
 * @param flops of the load, where its share of the core's peak is wanted: of the same work without sharing prompts
 */
export async function compare({ title, model, threads, load, competitors, rounds, flops }) {
  const running = new Map();
  const absent = {};
  let limits;
  let simd;
  for (const name of Object.keys(competitors)) {
    try {
      const { worker, ready } = await start(
        name.startsWith('llamacpp') || name === 'mstar' ? name : 'torch',
        model,
        threads,
        load,
      );
      limits ??= ready?.limits;
      simd ??= ready?.info?.simd;
      running.set(name, worker);
      await worker.ask({ ...load, new: 4, do: competitors[name] });
    } catch (error) {
      running.get(name)?.close();
      running.delete(name);
      absent[name] = error.message;
    }
  }
  const runs = new Map([...running.keys()].map((name) => [name, []]));
  for (let round = 0; round < rounds; round++)
    for (const [name, worker] of running) {
      const run = await worker.ask({ ...load, do: competitors[name] });
      runs.get(name).push(run);
      console.error(
        `${title} ${round + 1}/${rounds} ${name}: ${Math.round(run.tokens / run.cpu)}/CPU-s ${Math.round(run.tokens / run.wall)}/s`,
      );
    }
  const work =
    running.has('mstar') && shares(await running.get('mstar').ask({ ...load, do: '', profile: true }), threads);
  for (const worker of running.values()) worker.close();
  const results = Object.fromEntries(
    [...runs].map(([name, all]) => [
      name,
      {
        perCpuSecond: spread(all.map(({ tokens, cpu }) => tokens / cpu)),
        perWallSecond: spread(all.map(({ tokens, wall }) => tokens / wall)),
        otherCores: median(all.map(({ others }) => others)),
        ...(flops && limits && { ofPeak: median(all.map(({ cpu }) => flops / cpu / limits.matmulFlopsPerSecond)) }),
        ...(all[0].prefillTokens !== undefined && { prefillTokens: all[0].prefillTokens }),
      },
    ]),
  );
  const mine = results.mstar;
  const ratios = Object.fromEntries(
    Object.entries(results)
      .filter(([name]) => name !== 'mstar')
      .map(([name, { perCpuSecond, perWallSecond }]) => [
        name,
        threads === 1
          ? mine.perCpuSecond.median / perCpuSecond.median
          : mine.perWallSecond.median / perWallSecond.median,
      ]),
  );
  return { title, model, threads, simd, load, limits, results, work, ratios, absent };
}

/** Each kind of work's share of the time of all threads; the rest is what no stopwatch counts, and waiting. */
function shares({ work, wall }, threads) {
  const all = wall * threads;
  const counted = Object.fromEntries(Object.entries(work).map(([name, seconds]) => [name, seconds / all]));
  return { ...counted, rest: 1 - Object.values(counted).reduce((sum, share) => sum + share, 0) };
}

/** Prints tables, writes `--json FILE` and, with `--save`, the dated result. */
export function finish(theme, comparisons) {
  for (const { title, threads, simd, limits, results, work, ratios, absent } of comparisons) {
    console.log(`\n${title}, ${threads} thread(s), kernels for ${simd}`);
    for (const [name, { perCpuSecond, perWallSecond, ofPeak }] of Object.entries(results)) {
      const ratio = ratios[name] === undefined ? '' : `  mstar is ${ratios[name].toFixed(2)}x`;
      console.log(
        `  ${name.padEnd(18)} ${Math.round(perCpuSecond.median).toString().padStart(7)} tokens/CPU-s  ${Math.round(perWallSecond.median).toString().padStart(7)} tokens/s${ofPeak === undefined ? '' : `  ${(100 * ofPeak).toFixed(0).padStart(3)} % of the peak`}${ratio}`,
      );
    }
    const percent = (share) => `${(100 * share).toFixed(0)} %`;
    if (work)
      console.log(
        `  mstar's time: ${Object.entries(work)
          .filter(([, share]) => share >= 0.005)
          .sort(([, a], [, b]) => b - a)
          .map(([name, share]) => `${name} ${percent(share)}`)
          .join(', ')}; the peak is ${(limits.matmulFlopsPerSecond / 1e9).toFixed(0)} GFLOP/s a core`,
      );
    for (const [name, why] of Object.entries(absent)) console.log(`  ${name.padEnd(18)} left out: ${why}`);
  }
  const file = option('json');
  if (file) writeFileSync(file, `${JSON.stringify({ machine: machine(), comparisons }, null, 2)}\n`);
  save(theme, { comparisons });
}
