// How long the event loop is held up while the engine works: 99th percentile and maximum of the delay of a 1 ms timer, idle, during a
// rollout and during training steps. `npm run bench -- event-loop [--save]`.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { examplesOf, optimizer, save, workload } from './lib/workload.mjs';

const { policy, problems } = await workload(256, 2);
const requests = problems.map((problem) => ({ problem, variant: 'solve', n: 16, key: problem.id }));
const examples = examplesOf(policy, problems).slice(0, 128);
await policy.resetOptimizer(optimizer);

/** Delay over `work`, in milliseconds; the resolution of the timer (1 ms) is subtracted by the monitor. */
async function delay(work) {
  const monitor = monitorEventLoopDelay({ resolution: 1 });
  monitor.enable();
  const began = performance.now();
  await work();
  monitor.disable();
  const ms = (nanoseconds) => Number((nanoseconds / 1e6).toFixed(2));
  return {
    seconds: Number(((performance.now() - began) / 1000).toFixed(2)),
    p50: ms(monitor.percentile(50)),
    p99: ms(monitor.percentile(99)),
    max: ms(monitor.max),
  };
}

const rollout = () => policy.rollout(requests, { temperature: 1, topK: 0, topP: 1, maxTokens: 64 }, 1);
async function train() {
  for (let step = 0; step < 10; step++) await policy.trainStep(examples);
}
await rollout();
save('event-loop', {
  unit: 'ms of event-loop delay',
  idle: await delay(() => new Promise((resolve) => setTimeout(resolve, 2000))),
  rollout: await delay(rollout),
  trainStep: await delay(train),
});
await policy.dispose();
