// Training with advantages of one's own: node examples/train.mjs. The weight of an example multiplies the losses of its tokens.
import { loadModel } from 'mstar';
import { loadProblems, writeProblems } from 'mstar/data';
import { grade } from 'mstar/grade';

const { file, imageRoot } = await writeProblems('runs/example-problems', { count: 20, seed: 1 });
const problems = await loadProblems(file, { imageRoot });
const model = await loadModel('mstar:tiny', { prompt: { system: 'Solve.' } });
const betas = /** @type {[number, number]} */ ([0.9, 0.95]);
await model.resetOptimizer({ lr: 1e-5, warmupSteps: 0, betas, eps: 1e-8, weightDecay: 0, clip: 1, freeze: [] });
for (let step = 1; step <= 3; step++) {
  const { responses } = await model.rollout(
    problems.map((problem) => ({ problem, variant: 'solve', n: 4, key: `step ${step}/${problem.id}` })),
    { temperature: 1, topK: 0, topP: 1, maxTokens: 64 },
    1,
  );
  /** @type {import('mstar').Example[]} */
  const batch = [];
  for (const [i, problem] of problems.entries()) {
    const rewards = responses[i].map(({ text }) => (grade(problem, text).verdict === 'correct' ? 1 : 0));
    const mean = rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length;
    for (const [sample, { tokens }] of responses[i].entries()) {
      const weight = rewards[sample] - mean;
      if (weight !== 0) batch.push({ problem, variant: 'solve', response: tokens, weight });
    }
  }
  const { loss, gradNorm, tokens } = await model.trainStep(batch);
  console.log(`step ${step}: ${batch.length} examples, ${tokens} tokens, loss ${loss}, gradient ${gradNorm}`);
}
await model.save(`runs/example-train-${Date.now()}`);
await model.dispose();
