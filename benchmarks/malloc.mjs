// What keeping memory is worth (malloc thresholds raised, freed tensor blocks kept, both when the addon loads): training steps with and
// without, each trial in a process of its own, interleaved, medians. `npm run bench -- malloc [--save]`.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { cpuSeconds, examplesOf, median, optimizer, save, workload } from './lib/workload.mjs';

async function trial() {
  const { policy, problems } = await workload(64, 2);
  const examples = examplesOf(policy, problems);
  await policy.resetOptimizer(optimizer);
  for (let step = 0; step < 3; step++) await policy.trainStep(examples);
  const [wall, cpu, faults] = [performance.now(), cpuSeconds(), process.resourceUsage().minorPageFault];
  const steps = 12;
  for (let step = 0; step < steps; step++) await policy.trainStep(examples);
  const result = {
    msPerStep: (performance.now() - wall) / steps,
    cpuMsPerStep: ((cpuSeconds() - cpu) * 1000) / steps,
    pageFaultsPerStep: (process.resourceUsage().minorPageFault - faults) / steps,
  };
  await policy.dispose();
  console.log(JSON.stringify(result));
}

function measure() {
  const seen = { raised: [], default: [] };
  for (let round = 0; round < 5; round++)
    for (const setting of Object.keys(seen)) {
      const env = { ...process.env, MSTAR_MALLOC: setting };
      const { stdout, status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), '--trial'], {
        env,
        encoding: 'utf8',
      });
      if (status !== 0) throw new Error(`the trial with MSTAR_MALLOC=${setting} failed`);
      seen[setting].push(JSON.parse(stdout.trim().split('\n').at(-1)));
    }
  const medians = (trials) =>
    Object.fromEntries(
      Object.keys(trials[0]).map((key) => [key, Number(median(trials.map((trial) => trial[key])).toFixed(1))]),
    );
  const [raised, plain] = [medians(seen.raised), medians(seen.default)];
  save('malloc', {
    trials: 5,
    raised,
    default: plain,
    cpuRatio: Number((plain.cpuMsPerStep / raised.cpuMsPerStep).toFixed(2)),
  });
}

if (process.argv.includes('--trial')) await trial();
else measure();
