// Kernels against their plain twins: of every instruction set that the CPU has, and of CUDA where there is a GPU.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { addon } from '../../src/engine/binding.js';

/** Why the kernels cannot run here; empty where they can. */
function obstacle(): string {
  try {
    return addon().checks.probe('cuda', 'bfloat16', 1024, 16).kernels
      ? ''
      : ' (skipped: built without the CUDA plug-in)';
  } catch (error) {
    return ` (skipped: ${(error as Error).message.split('\n')[0]?.slice(0, 100)})`;
  }
}

/** bfloat16 keeps 8 bits; a draw at the border of two tokens may fall on either side. */
const tolerance = (kernel: string) => (kernel === 'draw tokens' ? 0.05 : kernel === 'draw greedy tokens' ? 0 : 0.02);

const onCpu = addon().checks.compareKernels('cpu');

const why = obstacle();
describe.skipIf(why !== '')(`the CUDA kernels${why}`, () => {
  test('agree with their plain twins', () => {
    const found = addon().checks.compareKernels('cuda');
    expect(found.length).toBeGreaterThan(40);
    expect(found.filter(({ kernel, error }) => !(error <= tolerance(kernel)))).toEqual([]);
  });
});

test('the comparison of kernels runs on any device: on the CPU the twins are equal', () => {
  const found = onCpu.filter(({ kernel }) => !ofSet(kernel) && !ofTraining(kernel));
  expect(new Set(found.map(({ kernel }) => kernel.split(' ')[0]))).toEqual(
    new Set(['rotate_and_store', 'merge', 'attend_rows', 'add_norm', 'swiglu', 'draw']),
  );
  // attend_rows is compared with a softmax in float32 and rounded once more.
  expect(found.filter(({ error }) => !(error < 0.01))).toEqual([]);
});

/**
 * Of numbers that are rounded to few bits some fall on either side. The median of 512 roots that are rounded by chance is a few
 * hundredths off; the nearest codes would leave it 1.5 off. A dot product is compared beside the magnitudes of its terms.
 */
const bound = (kernel: string) =>
  / dot$/.test(kernel) ? 1e-6 : /rounded$/.test(kernel) ? 0.07 : /fallen/.test(kernel) ? 0.2 : undefined;
const ofSet = (kernel: string) => /^(amx|avx512bf16|avx512|avx2|plain) /.test(kernel);
const ofTrees = (kernel: string) => kernel.startsWith('tree_attention');
const ofTraining = (kernel: string) => ofTrees(kernel) || /^(split_heads|token_logprobs)/.test(kernel);

test('attention of responses that share their prompt is that of each response alone, with its gradients', () => {
  const found = onCpu.filter(({ kernel }) => ofTrees(kernel));
  const parts = ['', ' gradient of q', ' gradient of k', ' gradient of v'];
  expect(new Set(found.map(({ kernel }) => kernel))).toEqual(
    new Set(parts.flatMap((part) => [`tree_attention${part}`, `tree_attention_plain${part}`])),
  );
  expect(found.filter(({ error }) => !(error < 3e-6))).toEqual([]);
});

test.each(['split_heads', 'token_logprobs'])('%s and its gradient are those of plain operations', (name) => {
  const found = onCpu.filter(({ kernel }) => kernel.startsWith(name));
  expect(new Set(found.map(({ kernel }) => kernel))).toEqual(new Set([name, `${name} gradient`]));
  expect(found.filter(({ error }) => !(error < 3e-6))).toEqual([]);
});

describe('the CPU kernels of every instruction set that this machine has', () => {
  const found = onCpu.filter(({ kernel }) => ofSet(kernel));
  const sets = [...new Set(found.map(({ kernel }) => kernel.split(' ')[0] as string))];

  test('there is a plain one, and the one in use is among them', () => {
    expect(sets).toContain('plain');
    expect(sets).toContain(addon().info().simd);
  });
  const flags = readFileSync('/proc/cpuinfo', 'utf8').match(/^flags.*$/m)?.[0] ?? '';
  test.each([
    ['amx', 'amx_bf16'],
    ['avx512bf16', 'avx512_bf16'],
  ] as const)('bfloat16 is multiplied by %s where the processor has it', (set, flag) => {
    expect(sets.includes(set)).toBe(flags.split(' ').includes(flag));
  });
  test.each(sets)('%s agrees with plain operations in double', (set) => {
    const mine = found.filter(({ kernel }) => kernel.startsWith(`${set} `));
    expect(mine.length).toBeGreaterThan(40);
    expect(mine.filter(({ kernel, error }) => !(error < (bound(kernel) ?? 1e-5)))).toEqual([]);
  });
  test.each(sets)('%s gives a row the same bits alone and among others', (set) => {
    const alone = found.filter(({ kernel }) => kernel.startsWith(`${set} `) && kernel.endsWith('alone'));
    expect(alone.length).toBeGreaterThan(10);
    expect(alone.filter(({ error }) => error !== 0)).toEqual([]);
  });

  const binding = fileURLToPath(new URL('../../.native/Release/mstar.node', import.meta.url));
  const loaded = (wish: string) =>
    spawnSync(process.execPath, ['-p', `require(${JSON.stringify(binding)}).info().simd`], {
      env: { ...process.env, MSTAR_SIMD: wish },
      encoding: 'utf8',
    });
  test.each(sets)('MSTAR_SIMD=%s chooses it', (set) => {
    expect(loaded(set).stdout.trim()).toBe(set);
  });
  test.each(sets)('%s gives log-probabilities the same bits in sampling and in training', (set) => {
    const { stdout, stderr } = spawnSync(process.execPath, [fileURLToPath(new URL('same-bits.mjs', import.meta.url))], {
      env: { ...process.env, MSTAR_SIMD: set },
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    const { tokens, differ, lowest } = JSON.parse(stdout);
    expect([tokens, differ]).toEqual([2160, 0]);
    // Had the model learned nothing, each of 203 tokens would be at -5.3.
    expect(lowest).toBeLessThan(-6);
  });
  test('MSTAR_SIMD refuses what the machine has not, and says what it has', () => {
    const { status, stderr } = loaded('neon');
    expect(status).not.toBe(0);
    expect(stderr).toContain(`MSTAR_SIMD: found 'neon', this machine has ${sets.join(', ')}`);
  });
});
