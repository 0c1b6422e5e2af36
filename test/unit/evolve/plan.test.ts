import { describe, expect, test } from 'vitest';
import { resolveConfig } from '../../../src/config/load.js';
import type { Problem } from '../../../src/core/types.js';
import { plannedSteps } from '../../../src/evolve/budget.js';
import { planWork } from '../../../src/evolve/evolve.js';

const problems = (count: number): Problem[] => Array.from({ length: count }, (_, i) => ({ id: String(i) }) as Problem);
const data = { labelled: problems(100), unlabelled: [], validation: problems(10), test: problems(20), outOfDomain: [] };
const config = resolveConfig({
  model: { path: 'm' },
  data: { generate: { count: 2000 } },
  evolve: { iterations: 4, interval: 50, n: 8, optimizer: { batchSize: 16 } },
  explore: { every: 2, temperatures: [0.5, 1] },
  dynamics: { samples: 4, temperatures: [1] },
  splits: { validation: 10, test: 20 },
  test: { samples: 4 },
});

describe('the plan of a job', () => {
  test('counts the responses of each phase; a sweep adds its temperatures where a choice is due', () => {
    const work = planWork({ config, data }, 'evolve');
    const sampled = (phase: string): number =>
      work.filter((part) => part.phase === phase && part.kind === 'sample').reduce((sum, { count }) => sum + count, 0);
    expect(sampled('warmup')).toBe(100 * 16);
    expect(sampled('iter-0004')).toBe(50 * 8);
    expect(sampled('dynamics-0001')).toBe(10 + 10 * 4);
    expect(sampled('dynamics-0002')).toBe(10 + 2 * 10 * 4);
    expect(sampled('dynamics-0004')).toBe(10 + 10 * 4);
    expect(sampled('test-iter-0003')).toBe(20);
    expect(sampled('test-final')).toBe(20 + 20 * 4);
  });

  test('ends with the stage asked for', () => {
    const phases = (until: Parameters<typeof planWork>[1]) => [
      ...new Set(planWork({ config, data }, until).map(({ phase }) => phase)),
    ];
    expect(phases('warmup')).toEqual(['warmup']);
    expect(phases('label')).toEqual(['warmup', 'completer', 'label']);
    expect(phases('train-prm')).toEqual(['warmup', 'completer', 'label', 'train-prm']);
  });

  test('has no labels and no PRM where nothing needs rewards', () => {
    const phasesWith = (change: object): string[] => {
      const evolve = { iterations: 1, interval: 50, n: 8, ...change };
      const plain = { model: { path: 'm' }, data: { generate: { count: 2000 } }, explore: { adaptive: false } };
      return planWork({ config: resolveConfig({ ...plain, evolve }), data }, 'evolve').map(({ phase }) => phase);
    };
    for (const rule of ['all', 'random'] as const) expect(phasesWith({ select: { rule } })).not.toContain('train-prm');
    expect(phasesWith({ method: 'sft', steps: 4 })).not.toContain('label');
    for (const rule of ['top', 'threshold'] as const) expect(phasesWith({ select: { rule } })).toContain('train-prm');
    expect(phasesWith({ select: { rule: 'all' }, unlabelled: { answers: 'pseudo' } })).toContain('train-prm');
  });

  test('spans one schedule over all iterations', () => {
    expect(plannedSteps({ config, data })).toBe(4 * Math.ceil((50 * 2) / 16));
  });
});
