// Events of a run's journal with numbers of the test's choosing, and a run folder made of them.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';

export interface FakeEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** One optimizer step. */
export function step(phase: string, loss: number | null = 0.5, lr = 1e-5): FakeEvent {
  return { event: 'step', phase, loss, gradNorm: 2, lr, tokens: 9, version: 1 };
}

export function commit(phase: string, result: unknown): FakeEvent {
  const tokens = { sampled: 0, scored: 0, trained: 0 };
  return { event: 'commit', phase, result, tokens, outputs: {}, checkpoint: null };
}

export function tested(at: string, accuracy: number): FakeEvent {
  return commit(`test-${at}`, { at, greedy: greedy(accuracy) });
}

export function iterated(iteration: number, temperature = 1): FakeEvent {
  const choice = {
    problems: 10,
    failed: 0,
    sampled: 80,
    unreadable: 0,
    cutOff: 0,
    correct: 40,
    distinct: 30,
    selected: 20,
    kept: [],
    luckyDistinct: 0,
    luckySelected: 0,
  };
  const training = { examples: 20, steps: 2, firstLoss: 0.5, lastLoss: 0.4 };
  const result = { iteration, epoch: 0, temperature, origin: 'warmup', unlabelled: 0, choice, training };
  return commit(`iter-${String(iteration).padStart(4, '0')}`, result);
}

export function samples(temperature: number, change: object = {}) {
  return {
    temperature,
    problems: 10,
    failed: 0,
    k: 8,
    passAt1: 0.4,
    passAtK: 0.8,
    passAt2: 0.5,
    gap: 0.3,
    rewardPassAt2: 0.6,
    bestOfK: null,
    weightedVote: null,
    majority: 0.5,
    unreadable: 0,
    meanTokens: 9,
    meanSteps: 4,
    ...change,
  };
}

export function stood(iteration: number, accuracy: number, measured: readonly object[], more: object = {}): FakeEvent {
  const result = { iteration, version: 0, greedy: greedy(accuracy), samples: measured, steps: null, decision: null };
  return commit(`dynamics-${String(iteration).padStart(4, '0')}`, { ...result, ...more });
}

export function greedy(accuracy: number) {
  return { problems: 10, failed: 0, correct: 5, accuracy, low: 0, high: 1, unreadable: 0, meanTokens: 9 };
}

/** Writes a run folder with these settings and events. */
export function writeRun(dir: string, settings: object, events: readonly FakeEvent[]): string {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'config.yaml'), stringify(settings));
  writeFileSync(join(dir, 'journal.jsonl'), events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  return dir;
}
