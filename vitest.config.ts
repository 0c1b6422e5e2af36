// One worker: tests share the machine's few cores with the engine's own threads. Forks, so that a native crash fails one
// file and not the run.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // The tools' imports of `#src/...` are the sources here, as the tests' own are; run as programs they are dist/.
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
