import { expect, test } from 'vitest';
import { withoutDevice } from '../../../src/engine/open.js';

test.each([
  [
    "device 'cuda': this LibTorch has no CUDA: libtorch_cuda.so: cannot open shared object file",
    /has no CUDA.*wanted TORCH_ROOT naming a CUDA LibTorch and the addon built again/,
  ],
  ["device 'cuda': no GPU was found", /no GPU was found, wanted one that nvidia-smi lists/],
  ["device 'cuda:3': there are 2 GPUs, counted from 0", /there are 2 GPUs.*wanted one that nvidia-smi lists/],
])('%s is said with what to do', (message, said) => {
  expect(withoutDevice(message)).toMatch(said);
});

test('another fault of the engine is left as it is', () => {
  expect(withoutDevice('out of memory')).toBeUndefined();
});
