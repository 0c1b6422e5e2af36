// What a response costs outside the engine, and the memory of an iteration of the paper's size: sampling is played by ready responses, everything else
// is what a run does: graded, cut into steps, scored by ready numbers, kept as units, chosen among, read back and written as a table.
// `npm run bench -- responses [--problems 45000] [--n 16] [--json FILE] [--save]`.
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Choice } from '../dist/evolve/choose.js';
import { collect, writeCollections } from '../dist/rollout/collect.js';
import { Run } from '../dist/run/folder.js';
import { option } from './lib/peers.mjs';
import { cpuSeconds, save, workload } from './lib/workload.mjs';

const count = Number(option('problems', '45000'));
const n = Number(option('n', '16'));
const { policy: model, problems: some } = await workload(500, 1);
const ready = some.map((problem) => {
  const steps = problem.truth.steps;
  // The right chain, one with another end, one that is cut off.
  const texts = [steps.join('\n'), [...steps.slice(0, -1), 'The answer is 0.'].join('\n'), steps[0]];
  return texts.map((text, i) => {
    const tokens = model.encodeResponse(text);
    const ends = Uint32Array.from(tokens, (_, t) => Math.round(((t + 1) * text.length) / tokens.length));
    return {
      text,
      tokens,
      ends,
      logprobs: Float32Array.from(tokens, (_, t) => -0.01 * (t + 1)),
      finish: i < 2 ? 'stop' : 'length',
    };
  });
});
await model.dispose();
const problems = Array.from({ length: count }, (_, i) => ({ ...some[i % some.length], id: `p${i}` }));
const place = new Map(problems.map(({ id }, i) => [id, i % some.length]));
const policy = {
  rollout: async (requests) => {
    // As the engine gives them: texts, tokens and log-probabilities of their own.
    const responses = requests.map(({ problem, n }) =>
      Array.from({ length: n }, (_, s) => {
        const one = ready[place.get(problem.id)][s % 3];
        return {
          ...one,
          text: `${one.text} `.slice(0, -1),
          tokens: one.tokens.slice(),
          ends: one.ends.slice(),
          logprobs: one.logprobs.slice(),
        };
      }),
    );
    return { responses, stats: { decodeTokens: 0 } };
  },
};
const scorer = { score: async (_, at) => at.map((ends) => Float32Array.from(ends, (end) => 0.5 + (end % 7) / 20)) };

const MIB = 2 ** 20;
const memory = { base: process.memoryUsage().rss / MIB, most: 0 };
const watch = setInterval(() => {
  memory.most = Math.max(memory.most, process.memoryUsage().rss / MIB);
}, 50);
const dir = mkdtempSync(path.join(tmpdir(), 'mstar-responses-'));
/** CPU seconds of the thread that feeds the engine, without those of DuckDB and of the garbage collector. */
function ownSeconds() {
  const text = readFileSync(`/proc/self/task/${process.pid}/stat`, 'utf8');
  // Behind the name, which is in brackets: the state is field 3, and ticks of 10 ms in the program and in the kernel fields 14 and 15.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
const parts = {};
async function part(name, work) {
  const [before, ownBefore] = [cpuSeconds(), ownSeconds()];
  const started = performance.now();
  const result = await work();
  memory.most = Math.max(memory.most, process.memoryUsage().rss / MIB);
  const each = (seconds) => (seconds * 1000) / (count * n);
  const [ms, own] = [each(cpuSeconds() - before), each(ownSeconds() - ownBefore)];
  parts[name] = {
    cpuMsPerResponse: ms,
    ownCpuMsPerResponse: own,
    wallMsPerResponse: (performance.now() - started) / (count * n),
    mib: memory.most - memory.base,
  };
  console.error(
    `${name.padEnd(30)} ${ms.toFixed(4)} ms of CPU a response, ${own.toFixed(4)} of it on the main thread, most memory so far ${(memory.most - memory.base).toFixed(0)} MiB`,
  );
  return result;
}
try {
  const run = await Run.open({ dir, settings: { seed: 1 } });
  const settings = { seed: 1, chunk: 64, delimiter: '\n', maxTokens: 128, topK: 0, topP: 1 };
  const collection = {
    name: 'train',
    title: 'training problems',
    problems,
    variant: 'solve',
    n,
    temperature: 1,
    reward: { scorer, aggregate: 'min', wanted: ({ grade }) => grade.verdict === 'correct' },
  };
  await run.phase('iter-0001', async (phase) => {
    const choice = new Choice({ rule: 'top', k: 2 }, 1, 'iter-0001', 'keep');
    await part('grading, units, selection', async () => {
      for await (const rollouts of collect(phase, policy, collection, settings))
        await choice.add(rollouts, phase.signal);
    });
    const { selected } = choice;
    await part('the table', () =>
      writeCollections(phase, 'rollouts.parquet', [{ collection, version: 0, selected }], settings),
    );
    console.error(`the table has ${(statSync(path.join(dir, 'rollouts.parquet')).size / MIB).toFixed(0)} MiB`);
  });
  await run.close();
} finally {
  clearInterval(watch);
  rmSync(dir, { recursive: true, force: true });
}
save('responses', { problems: count, n, parts });
