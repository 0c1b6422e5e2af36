// Builds the fuzzer of test/fuzz and starts it: `npm run fuzz -- NAME --minutes N [--seed S]`.
import { rmSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, run, runMain } from './log.mjs';

const built = path.join(root, 'node_modules/.cache/mstar-fuzz');
const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
await runMain(() => {
  // What was built from files that are gone would still be found: formats of data are looked for in their folder.
  rmSync(built, { recursive: true, force: true });
  run(process.execPath, [tsc, '-p', path.join(root, 'test/fuzz'), '--outDir', built], 'test/fuzz did not compile');
});
await import(pathToFileURL(path.join(built, 'test/fuzz/main.js')).href);
