// The CUDA kernels compile for every architecture that the plug-in is built for, where nvcc is found; they know no LibTorch.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const nvcc = ['nvcc', path.join(process.env.CUDA_HOME ?? '/usr/local/cuda', 'bin/nvcc')].find(
  (program) => spawnSync(program, ['--version']).status === 0,
);
const ARCHITECTURES = ['80', '90', '120'];

const out = mkdtempSync(path.join(tmpdir(), 'mstar-cuda-'));
afterAll(() => rmSync(out, { recursive: true }));

describe.skipIf(!nvcc)(`the CUDA kernels${nvcc ? '' : ' (skipped: no nvcc here)'}`, () => {
  const files = readdirSync(path.join(root, 'native/ops/cuda')).filter((name) => name.endsWith('.cu'));

  test.each(files)('%s compiles for sm_80, sm_90 and sm_120', (file) => {
    const targets = ARCHITECTURES.map((arch) => `-gencode=arch=compute_${arch},code=sm_${arch}`);
    const object = path.join(out, `${file}.o`);
    const flags = ['-std=c++17', '-O2', '--expt-relaxed-constexpr', '--threads=2', '-Inative'];
    execFileSync(nvcc as string, [...flags, ...targets, '-c', `native/ops/cuda/${file}`, '-o', object], {
      cwd: root,
      stdio: 'pipe',
    });
    expect(existsSync(object)).toBe(true);
  });
});
