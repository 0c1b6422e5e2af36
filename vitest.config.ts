// Two workers: most tests wait for programs that they start, and the engine's own threads are few. Forks, so that a native
// crash fails one file and not the run.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // The tools' imports of `#src/...` are the sources here, as the tests' own are; run as programs they are dist/.
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 240_000,
    hookTimeout: 240_000,
    // On a busy machine what is waited for takes seconds.
    expect: { poll: { timeout: 30_000 } },
  },
});
