// A PRM made elsewhere: a policy of one backbone scored by a PRM of another, through text; and where both read alike, the same
// scores through text and through token ids.
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Scorer } from '../../src/core/ports.js';
import type { Problem } from '../../src/core/types.js';
import { diagnose } from '../../src/engine/doctor.js';
import { createHost } from '../../src/engine/host.js';
import type { NativePolicy } from '../../src/engine/policy.js';
import type { RatedResponse, Rollout } from '../../src/record/rollout.js';
import { splitSteps } from '../../src/reward/steps.js';
import { scoreRollouts } from '../../src/rollout/collect.js';
import { rate } from '../../src/rollout/generate.js';
import { tinyBackbone } from '../fakes/backbones.js';
import { removeTemporary, temporary } from '../fakes/model-folder.js';
import { solidPng } from '../fakes/png.js';
import { testDevice } from './tiny-model.js';

afterAll(removeTemporary);

const host = createHost({
  device: testDevice,
  dtype: 'float32',
  threads: 1,
  tokenBudget: 4096,
  maxImagePixels: 1e6,
  prompt: { solve: '{question}', givenAnswer: '{question} {answer}' },
});
const problem: Problem = {
  id: 'p',
  question: 'a cab?',
  images: [{ bytes: solidPng(60, 40, [40, 100, 200]), name: 'p.png' }],
  answer: '1',
  questionType: 'free_form',
  answerType: 'text',
  choices: [],
  source: 'test',
};
const meter = { expect() {}, skip() {}, advance() {} };
const watch = { signal: new AbortController().signal, meter };

async function prmFolder(): Promise<string> {
  const dir = join(temporary(), 'prm');
  await using made = await host.openScorer(await tinyBackbone('minicpm', 'F32', 2), 'mean');
  await made.save(dir);
  return dir;
}

/** The response that a policy would sample as the tokens of this text. */
function written(policy: NativePolicy, text: string): RatedResponse {
  const tokens = policy.encodeResponse(text);
  const decoded = policy.opened.tokenizer.decode(tokens);
  return rate(problem, { ...decoded, tokens, logprobs: new Float32Array(tokens.length), finish: 'stop' }, '\n');
}

/** Scores of a rollout, and the token ids that went to the scorer. */
async function scoresOf(scorer: Scorer, rollout: Rollout, tokenizer: string) {
  const seen: number[][] = [];
  const listening = new Proxy(scorer, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (name !== 'score') return typeof value === 'function' ? value.bind(target) : value;
      return (...given: Parameters<Scorer['score']>) => {
        seen.push(...given[0].map(({ response }) => [...response]));
        return target.score(...given);
      };
    },
  });
  const reward = { scorer: listening, aggregate: 'min' as const, wanted: () => true };
  const [scored] = await scoreRollouts(reward, [rollout], tokenizer, watch);
  return { scores: scored?.responses.map(({ scores }) => [...(scores ?? [])]), seen };
}

const TEXTS = ['a b\ncab\n\nThe answer is b', 'c', ' bb\n b\n'];

test('a Phi-3.5-vision is scored by a MiniCPM PRM: the text in its own tokens and template, a score for each step', async () => {
  await using policy = await host.openPolicy(await tinyBackbone('phi3v'));
  await using scorer = await host.openScorer(await prmFolder(), 'given');
  expect(scorer.tokenizer).not.toBe(policy.tokenizer);
  const sampling = { temperature: 1, topK: 0, topP: 1, maxTokens: 12 };
  const sampled = await policy.rollout([{ problem, variant: 'solve', n: 3, key: 'p' }], sampling, 5);
  const responses = [
    ...(sampled.responses[0] ?? []).map((response) => rate(problem, response, '\n')),
    ...TEXTS.map((text) => written(policy, text)),
  ];
  const { scores, seen } = await scoresOf(scorer, { problem, responses }, policy.tokenizer);
  const { tokenizer, backbone } = scorer.opened;
  const stop = tokenizer.idOf(backbone.endOfTurn) as number;
  for (const [i, { response, steps }] of responses.entries()) {
    const own = tokenizer.encode(response.text);
    const tokens = Int32Array.from(response.finish === 'stop' ? [...own, stop] : own);
    expect(seen).toContainEqual([...tokens]);
    const decoded = tokenizer.decode(tokens);
    expect(decoded.text).toBe(response.text);
    // One token is one byte in the PRM's tokenizer, so that every step has an end of its own there.
    const ends = splitSteps({ ...decoded, tokens }).map(({ tokenEnd }) => tokenEnd - 1);
    const [wanted] = await scorer.score([{ problem, variant: 'solve', response: tokens }], [Uint32Array.from(ends)]);
    expect(scores?.[i]).toHaveLength(steps.length);
    if (steps.length === ends.length) expect(scores?.[i]).toEqual([...(wanted ?? [])]);
  }
});

test('where policy and PRM have one tokenizer, scores by text and by token ids are equal, and ids are what goes', async () => {
  await using policy = await host.openPolicy(await tinyBackbone('minicpm', 'F32', 7));
  await using scorer = await host.openScorer(await prmFolder(), 'given');
  expect(scorer.tokenizer).toBe(policy.tokenizer);
  const responses = TEXTS.map((text) => written(policy, text));
  const byIds = await scoresOf(scorer, { problem, responses }, policy.tokenizer);
  const byText = await scoresOf(scorer, { problem, responses }, 'another');
  expect(byIds.seen).toEqual(responses.map(({ response }) => [...response.tokens]));
  expect(byIds.scores?.map((scores) => scores.length)).toEqual([3, 1, 2]);
  expect(byText.scores).toEqual(byIds.scores);
});

test('the plan of the memory has the weights of a PRM of another backbone, and refuses a folder that is none', async () => {
  const [policy, prm] = [await tinyBackbone('phi3v'), await prmFolder()];
  const shape = { rows: 16, samples: 16, promptTokens: 64, maxTokens: 16, tokenBudget: 256 };
  const work = { dtype: 'float32', device: 'cpu', ...shape } as const;
  const plan = (dir: string) => diagnose(policy, work, [], { gpus: [1], memory: [] }, undefined, dir);
  const { plans } = await plan(prm);
  const bytes = (await diagnose(prm, work, [], { gpus: [], memory: [] })).parameters;
  for (const phase of ['rollout', 'scoring'])
    expect(plans[0]?.phases.find((one) => one.phase === phase)?.items).toContainEqual({
      what: 'weights of the PRM',
      bytes: 4 * bytes,
    });
  await expect(plan(await tinyBackbone('minicpm'))).rejects.toThrow(
    'reward_head.weight: missing, wanted a process reward',
  );
});

test('a response that has no room in the PRM, or whose picture it cannot read, is refused in one line', async () => {
  await using scorer = await host.openScorer(await prmFolder(), 'given');
  const long = 'b'.repeat(600);
  await expect(scorer.encodeSteps(problem, long, [long.length], true)).rejects.toThrow(
    /response to problem p: \d+ tokens with its prompt, wanted at most the 512 positions/,
  );
  const broken = { ...problem, images: [{ bytes: Buffer.from('no picture'), name: 'p.png' }] };
  await expect(scorer.encodeSteps(broken, 'b', [1], true)).rejects.toThrow(/p\.png/);
});
