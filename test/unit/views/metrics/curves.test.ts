// Journal events as scalars: which tag, at which step.
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../../src/core/errors.js';
import { curvesOf } from '../../../../src/views/metrics/curves.js';
import { commit, type FakeEvent, greedy, samples, step, stood, tested } from '../../../fakes/journal.js';

/** `tag@step=value` of every scalar. */
const shown = (...events: FakeEvent[]): string[] =>
  curvesOf(events).map(({ tag, step: at, value }) => `${tag}@${at}=${value}`);

describe('curves', () => {
  test('count the optimizer steps of the policy over all iterations, of the others by themselves', () => {
    const all = shown(step('warmup'), step('warmup'), step('train-prm'), step('iter-0001'), step('iter-0002'));
    expect(all.filter((one) => one.includes('loss'))).toEqual([
      'warmup/loss@1=0.5',
      'warmup/loss@2=0.5',
      'train-prm/loss@1=0.5',
      'train/loss@1=0.5',
      'train/loss@2=0.5',
    ]);
    expect(all).toContain('train/learning_rate@2=0.00001');
    expect(all).toContain('train/grad_norm@2=2');
  });

  test('leave out a value that is not finite but count its step', () => {
    const all = shown(step('iter-0001', null), step('iter-0001'));
    expect(all.filter((one) => one.includes('loss'))).toEqual(['train/loss@2=0.5']);
  });

  test('have test accuracies by iteration and by optimizer step; the base model stands apart', () => {
    const all = shown(
      tested('base', 0.1),
      tested('warmup', 0.2),
      step('iter-0001'),
      step('iter-0001'),
      tested('iter-0001', 0.3),
    );
    expect(all.filter((one) => one.startsWith('test/'))).toEqual([
      'test/base_accuracy@0=0.1',
      'test/accuracy@0=0.2',
      'test/accuracy_by_step@0=0.2',
      'test/accuracy@1=0.3',
      'test/accuracy_by_step@2=0.3',
    ]);
  });

  test('have the dynamics by iteration and temperature, the PRM against the truth and the temperature chosen', () => {
    const event = stood(2, 0.5, [samples(0.7), samples(1, { rewardPassAt2: null })], {
      steps: { steps: 90, sound: 0.5, accuracy: 0.7, auc: 0.75 },
      decision: { chosen: 0.7, previous: 1, best: 0.6, tied: [0.7], scores: [] },
    });
    expect(shown(event)).toEqual([
      'dynamics/greedy@2=0.5',
      'dynamics/pass_at_1/T0.7@2=0.4',
      'dynamics/pass_at_8/T0.7@2=0.8',
      'dynamics/gap/T0.7@2=0.3',
      'dynamics/reward_pass_at_2/T0.7@2=0.6',
      'dynamics/pass_at_1/T1@2=0.4',
      'dynamics/pass_at_8/T1@2=0.8',
      'dynamics/gap/T1@2=0.3',
      'prm/auc@2=0.75',
      'prm/accuracy@2=0.7',
      'explore/temperature@2=0.7',
    ]);
    const final = { at: 'iter-0003', greedy: greedy(0.5), samples: samples(0.7), steps: null };
    expect(shown(commit('test-final', final))).toContain('final/pass_at_8@3=0.8');
  });

  test('have the accuracy of pseudo labels among the problems that had a vote', () => {
    expect(shown({ event: 'pseudo', phase: 'iter-0002', problems: 10, voted: 8, right: 6 })).toEqual([
      'pseudo/voted@2=0.8',
      'pseudo/accuracy@2=0.75',
    ]);
    expect(shown({ event: 'pseudo', phase: 'iter-0002', problems: 0, voted: 0, right: 0 })).toEqual([]);
  });

  test('pass over events that they do not know, and refuse one of another form', () => {
    expect(shown({ event: 'start' }, { event: 'failed' }, { event: 'of the future' })).toEqual([]);
    expect(() => shown(commit('iter-0001', { iteration: 'x' }))).toThrow(UserError);
  });
});
