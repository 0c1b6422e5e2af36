// A bounded number of cases of every parser, the same ones each time. More: `npm run fuzz -- NAME --minutes N`.
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Harness } from './harness.js';
import { targets } from './targets.js';

const project = fileURLToPath(new URL('../..', import.meta.url));
const built = join(project, 'node_modules/.cache/mstar-fuzz-test');
const worker = pathToFileURL(join(built, 'test/fuzz/worker.js'));
// A case that hangs is stopped by the harness; a busy machine is no fault.
const timeout = 30 * 60_000;
const harness = new Harness({ worker, stopMs: 30_000 });

beforeAll(() => {
  rmSync(built, { recursive: true, force: true });
  const tsc = join(project, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', join(project, 'test/fuzz'), '--outDir', built]);
});
afterAll(() => harness.close());

describe('every input gives a value that is well-formed, or one line for the user', () => {
  test.each(targets.map((target) => [target.name, target] as const))('%s', { timeout }, async (_, target) => {
    const fault = await harness.fuzz(target, 1, target.cases);
    expect(fault?.report).toBeUndefined();
  });
});
