// The embedded PRM does on new problems what it comes with the package for: it tells right chains of thought from lucky and from wrong ones.
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { packageRoot } from '../../src/config/presets.js';
import { createHost } from '../../src/engine/host.js';
import { loadProblems, writeProblems } from '../../src/library/data.js';
import { groupedAuc, once } from '../../src/measure/statistics.js';
import { isLuckyResponse, type Rollout } from '../../src/record/rollout.js';
import { scoreRollouts } from '../../src/rollout/collect.js';
import { rate } from '../../src/rollout/generate.js';
import { removeTemporary, temporary } from '../fakes/model-folder.js';
import { testDevice } from './tiny-model.js';

afterAll(removeTemporary);

const host = createHost({
  device: testDevice,
  dtype: 'float32',
  threads: 1,
  tokenBudget: 4096,
  maxImagePixels: 1e6,
  prompt: { system: 'Solve.', solve: '{question}', givenAnswer: '{question}\nThe answer is {answer}.' },
});

test('right chains have higher rewards than lucky and than wrong ones of the embedded model', async () => {
  const { file, imageRoot } = await writeProblems(temporary(), { count: 60, seed: 7_000_000, range: 9 });
  const problems = await loadProblems(file, { imageRoot });
  await using policy = await host.openPolicy(join(packageRoot, 'assets/tiny-internvl2'));
  await using scorer = await host.openScorer(join(packageRoot, 'assets/tiny-prm'), 'given');
  expect(scorer.tokenizer).toBe(policy.tokenizer);
  const requests = problems.map((problem) => ({ problem, variant: 'solve' as const, n: 8, key: problem.id }));
  const sampling = { temperature: 1, topK: 0, topP: 1, maxTokens: 64 };
  const { responses } = await policy.rollout(requests, sampling, 1);
  const rollouts = problems.map((problem, i): Rollout => {
    return { problem, responses: (responses[i] ?? []).map((response) => rate(problem, response, '\n')) };
  });
  const meter = { expect() {}, skip() {}, advance() {} };
  const watch = { signal: new AbortController().signal, meter };
  const reward = { scorer, aggregate: 'min' as const, wanted: () => true };
  const scored = (await scoreRollouts(reward, rollouts, policy.tokenizer, watch)).flatMap((one) => one.responses);
  const rewards = (kind: 'right' | 'lucky' | 'wrong') =>
    scored
      .filter((one) => kind === (isLuckyResponse(one) ? 'lucky' : one.grade.verdict === 'correct' ? 'right' : 'wrong'))
      .map((one) => ({ score: one.reward as number, positive: kind === 'right' }));
  const [right, lucky, wrong] = [rewards('right'), rewards('lucky'), rewards('wrong')];
  const auc = (others: typeof right): number => groupedAuc([[...right, ...others]])(once(1));
  expect(Math.min(right.length, lucky.length, wrong.length)).toBeGreaterThan(30);
  expect(auc(lucky)).toBeGreaterThan(0.75);
  expect(auc(wrong)).toBeGreaterThan(0.7);
});
