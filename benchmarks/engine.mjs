// Speed of the two hot paths on the embedded model, per wall second and per CPU second: sampled tokens (64 problems x 16) and training
// tokens (64 examples). Medians of five, one and two threads in turn. `npm run bench -- engine [--save]`.
import { cpuSeconds, examplesOf, median, optimizer, save, workload } from './lib/workload.mjs';

async function timed(work) {
  const [wall, cpu] = [performance.now(), cpuSeconds()];
  const tokens = await work();
  return { perSecond: (tokens / (performance.now() - wall)) * 1000, perCpuSecond: tokens / (cpuSeconds() - cpu) };
}
const medians = (runs) => ({
  perSecond: Math.round(median(runs.map((run) => run.perSecond))),
  perCpuSecond: Math.round(median(runs.map((run) => run.perCpuSecond))),
});

const loads = [];
for (const threads of [1, 2]) loads.push({ threads, rollout: [], train: [], ...(await workload(64, threads)) });
for (const { policy } of loads) await policy.resetOptimizer(optimizer);
for (let round = 0; round < 6; round++)
  for (const { policy, problems, rollout, train } of loads) {
    const requests = problems.map((problem) => ({ problem, variant: 'solve', n: 16, key: problem.id }));
    const examples = examplesOf(policy, problems);
    const sampled = await timed(
      async () =>
        (await policy.rollout(requests, { temperature: 1, topK: 0, topP: 1, maxTokens: 64 }, round)).stats.decodeTokens,
    );
    const trained = await timed(async () => (await policy.trainStep(examples)).tokens);
    if (round === 0) continue; // warms up
    rollout.push(sampled);
    train.push(trained);
  }
save('engine', {
  sampledTokens: Object.fromEntries(loads.map(({ threads, rollout }) => [`threads${threads}`, medians(rollout)])),
  trainedResponseTokens: Object.fromEntries(loads.map(({ threads, train }) => [`threads${threads}`, medians(train)])),
});
for (const { policy } of loads) await policy.dispose();
