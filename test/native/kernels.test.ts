// The CUDA kernels against their plain twins, where there is a GPU.
import { describe, expect, test } from 'vitest';
import { addon } from '../../src/engine/binding.js';

/** Why the kernels cannot run here; empty where they can. */
function obstacle(): string {
  try {
    return addon().probe('cuda', 'bfloat16', 1024, 16).kernels ? '' : ' (skipped: built without the CUDA plug-in)';
  } catch (error) {
    return ` (skipped: ${(error as Error).message.split('\n')[0]?.slice(0, 100)})`;
  }
}

/** bfloat16 keeps 8 bits; a draw at the border of two tokens may fall on either side. */
const tolerance = (kernel: string) => (kernel === 'draw tokens' ? 0.05 : kernel === 'draw greedy tokens' ? 0 : 0.02);

const why = obstacle();
describe.skipIf(why !== '')(`the CUDA kernels${why}`, () => {
  test('agree with their plain twins', () => {
    const found = addon().compareKernels('cuda');
    expect(found.length).toBeGreaterThan(40);
    expect(found.filter(({ kernel, error }) => !(error <= tolerance(kernel)))).toEqual([]);
  });
});

test('the comparison of kernels runs on any device: on the CPU the twins are equal', () => {
  const found = addon().compareKernels('cpu');
  expect(new Set(found.map(({ kernel }) => kernel.split(' ')[0]))).toEqual(
    new Set(['rotate_and_store', 'merge', 'attend_rows', 'add_norm', 'swiglu', 'draw']),
  );
  // attend_rows is compared with a softmax in float32 and rounded once more.
  expect(found.filter(({ error }) => !(error < 0.01))).toEqual([]);
});
