import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../../../src/config/presets.js';
import { memoryFault, whyItMatters } from '../../../src/config/resume.js';
import { benchmarkSchema } from '../../../src/config/sample.js';
import { EngineError } from '../../../src/core/errors.js';

const cpu = { device: 'cpu', deterministic: false, weightBytes: 2 ** 29 } as const;
const gpu = { ...cpu, device: 'cuda' } as const;
const why = (
  key: string,
  before: unknown,
  now: unknown,
  computing: Parameters<typeof whyItMatters>[0] = cpu,
  scored = true,
) => whyItMatters(computing, scored)({ key, before: JSON.stringify(before), now: JSON.stringify(now) });

describe('a setting that differs on resume', () => {
  test('does not matter where it bounds the memory of keys and values, one by one computed', () => {
    expect(why('model.kvGib', 4, 2)).toBeNull();
    expect(why('kvGib', 4, 2)).toBeNull();
    expect(why('model.kvGib', 4, 2, { ...gpu, deterministic: true })).toBeNull();
    expect(why('model.kvGib', 4, 2, gpu)).toContain('on a GPU without deterministic the bytes depend');
  });

  test('matters where steps or scores are computed together, and says what may change', () => {
    expect(why('model.tokenBudget', 4, 2)).toBe('the sums of an optimizer step depend on it; kvGib may change');
    expect(why('model.tokenBudget', 4, 2, gpu)).toBe('the sums of an optimizer step depend on it');
    expect(why('run.chunk', 64, 32)).toBe('the PRM scores the responses of a chunk together; kvGib may change');
    expect(why('chunk', 64, 32, cpu, false)).toBeNull();
    expect(why('chunk', 64, 32, gpu, false)).toContain('on a GPU');
  });

  test('does not matter where it is the number of threads of a model that is small enough for them to share no sum', () => {
    expect(why('model.threads', 4, 8)).toBeNull();
    expect(why('threads', 4, 8, cpu, false)).toBeNull();
    expect(why('model.threads', 4, 8, { ...cpu, weightBytes: 2 ** 29 + 1 })).toBe(
      'the threads of a model of this size share sums',
    );
  });

  test('does not matter where it says what a backward runs again, or where the optimizer keeps its state', () => {
    expect(why('model.recompute', 'auto', 'always')).toBeNull();
    expect(why('model.offload', 'auto', 'always', gpu)).toBeNull();
    expect(whyItMatters(gpu, true)({ key: 'model.recompute', before: 'not set', now: '"auto"' })).toBeNull();
  });

  test('does not matter where two texts name one place', () => {
    const inside = join(packageRoot, 'assets/tiny-internvl2');
    expect(why('model.path', inside, 'mstar:assets/tiny-internvl2')).toBeNull();
    expect(why('data.outOfDomain.file', '/a/b.json', '/a/../a/b.json')).toBeNull();
    expect(why('model.path', '/elsewhere/assets/tiny-internvl2', 'mstar:assets/tiny-internvl2')).toBe('');
    expect(whyItMatters(cpu, true)({ key: 'data.imageRoot', before: 'not set', now: '"/a"' })).toBe('');
  });

  test('does not matter where it is new and at the default, whose bytes are those of before', () => {
    const added = (key: string, now: unknown, known = 0, within?: Parameters<typeof whyItMatters>[2]) =>
      whyItMatters(cpu, true, within)({ key, before: 'not set', now: JSON.stringify(now), known });
    expect(added('warmup.optimizer.moments', 'float32', 2)).toBeNull();
    expect(added('evolve.grpo.clipLow', 0.2, 1)).toBeNull();
    expect(added('explore.temperatures', [1], 1)).toContain('runs did as with [0.3,0.4');
    expect(added('warmup.optimizer.moments', '8bit', 2)).toBe(
      'before there was the setting, runs did as with "float32"',
    );
    expect(added('n', 16, 0, benchmarkSchema)).toBeNull();
    expect(added('model.threads', 8, 1)).toBeNull();
    expect(added('model.kvGib', 2, 1)).toBeNull();
  });

  test('is held against what runs did before there was it, where that is not its default', () => {
    const added = (now: unknown) =>
      whyItMatters(cpu, true)({ key: 'evolve.select.repeats', before: 'not set', now: JSON.stringify(now), known: 2 });
    expect(added('drop')).toBeNull();
    expect(added('keep')).toBe('before there was the setting, runs did as with "drop"');
  });

  test('matters in a group that may be left out, unless the run has that group', () => {
    const added = (key: string, now: unknown, known: number) =>
      whyItMatters(cpu, true)({ key, before: 'not set', now: JSON.stringify(now), known });
    expect(added('model.adapter.rank', 16, 1)).toBe('');
    expect(added('model.adapter.rank', 16, 2)).toBeNull();
    expect(added('data.outOfDomain.repeats', 'refuse', 1)).toBe('');
    expect(added('data.outOfDomain.repeats', 'refuse', 2)).toBeNull();
  });

  test('matters without further words where it is any other', () => {
    expect(why('evolve.n', 4, 8)).toBe('');
  });
});

test('a job that ran out of memory says which settings bound it, and how it goes on', () => {
  const full = new EngineError('ERR_MEMORY', 'CUDA out of memory. Tried to allocate 2.00 GiB');
  const message = (computing: Parameters<typeof memoryFault>[1]): string =>
    (memoryFault(full, computing) as Error).message;
  expect(message(cpu)).toMatch(
    /^memory: CUDA out of .* GiB, wanted a lower kvGib, with which the same command goes on/,
  );
  expect(message(gpu)).toContain('in another folder as the bytes depend on them');
  const other = new EngineError('ERR_ENGINE', 'shapes differ');
  expect(memoryFault(other, cpu)).toBe(other);
  expect(memoryFault(full, cpu)).toMatchObject({ name: 'UserError', code: 'ERR_MEMORY' });
});
