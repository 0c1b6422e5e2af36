// The data rules of the PRM and the cutting into steps, on sixteen thousand real responses where they are at hand; the rules
// themselves are tested on made ones in pairs.test.ts and steps.test.ts.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Problem, Response } from '../../../src/core/types.js';
import { choosePairs, pairsOf } from '../../../src/label/pairs.js';
import type { RatedResponse, Rollout } from '../../../src/record/rollout.js';
import { normaliseText } from '../../../src/reward/dedupe.js';
import { splitSteps, stepTexts } from '../../../src/reward/steps.js';

const folder = fileURLToPath(new URL('../../../../shared/conformance', import.meta.url));
const absent = existsSync(folder) ? '' : ` (skipped: ${folder} is absent)`;

interface Row {
  readonly id: string;
  readonly group?: string;
  readonly question_type: string;
  readonly response: string;
  readonly answer_letter?: string | null;
  readonly official_extraction?: string | null;
}

const rows = (): Row[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl') && name !== 'equiv_pairs.jsonl')
    .flatMap((name) =>
      readFileSync(join(folder, name), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Row),
    );

/** Tokens of up to seven characters, the last one without text as a stop token is. */
function toResponse(text: string): Response {
  const ends: number[] = [];
  for (let at = 0; at < text.length; ) {
    at = Math.min(text.length, at + 1 + ((at * 7) % 7));
    ends.push(at);
  }
  ends.push(text.length);
  const tokens = Int32Array.from(ends, (_, i) => i);
  return { text, tokens, ends: Uint32Array.from(ends), logprobs: new Float32Array(ends.length), finish: 'stop' };
}

describe.skipIf(absent !== '')(`real responses${absent}`, () => {
  test('every token and every character of a response is in one step, in order, and no step is blank', () => {
    let several = 0;
    for (const { id, response: text } of rows()) {
      const response = toResponse(text);
      const steps = splitSteps(response);
      expect([id, steps.length > 0]).toEqual([id, true]);
      let [at, token] = [0, 0];
      for (const { textStart, textEnd, tokenStart, tokenEnd } of steps) {
        if (textStart !== at || tokenStart !== token || tokenEnd <= tokenStart)
          expect.fail(`${id}: a gap before ${textStart}`);
        [at, token] = [textEnd, tokenEnd];
      }
      expect([id, at, token]).toEqual([id, text.length, response.tokens.length]);
      if (text.trim() !== '' && stepTexts(text, steps).some((step) => step === '')) expect.fail(`${id}: a blank step`);
      if (steps.length > 1) several++;
    }
    expect(several).toBeGreaterThan(1000);
  });

  test('pairs are different, at most four a problem, and balanced one to one both ways', () => {
    const rollouts = toRollouts(rows());
    const pairs = rollouts.flatMap((rollout) => pairsOf(rollout, 4, 1));
    const byProblem = new Map<string, string[]>();
    for (const { problem, rated } of pairs)
      byProblem.set(problem.id, [...(byProblem.get(problem.id) ?? []), normaliseText(rated.response.text)]);
    for (const texts of byProblem.values()) {
      expect(texts.length).toBeLessThanOrEqual(4);
      expect(new Set(texts).size).toBe(texts.length);
    }
    const chosen = choosePairs(pairs, 600, true, 1);
    const share = (holds: (pair: (typeof chosen)[number]) => boolean) => chosen.filter(holds).length;
    expect(chosen.length).toBeGreaterThan(400);
    expect(share(({ rated }) => rated.grade.verdict === 'correct')).toBe(chosen.length / 2);
    expect(share(({ problem }) => problem.questionType === 'multi_choice')).toBe(chosen.length / 2);
  });
});

/** Responses of a problem as its samples; half of the free-form ones count as right, as these files do not all say. */
function toRollouts(all: readonly Row[]): Rollout[] {
  const groups = new Map<string, Row[]>();
  for (const row of all) groups.set(row.group ?? row.id, [...(groups.get(row.group ?? row.id) ?? []), row]);
  return [...groups].map(([id, some]) => {
    const multiChoice = some[0]?.question_type === 'multi_choice';
    const problem: Problem = {
      id,
      question: id,
      images: [],
      answer: 'A',
      questionType: multiChoice ? 'multi_choice' : 'free_form',
      answerType: 'text',
      choices: multiChoice ? ['x', 'y'] : [],
      source: '',
    };
    const responses = some.map((row): RatedResponse => {
      const response = toResponse(row.response);
      const right = multiChoice ? row.official_extraction === row.answer_letter : row.response.length % 2 === 0;
      const grade = {
        verdict: right ? ('correct' as const) : ('wrong' as const),
        extracted: null,
        normalised: null,
        reason: '',
      };
      return { response, grade, steps: splitSteps(response) };
    });
    return { problem, responses };
  });
}
