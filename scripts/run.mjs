// Runs one of the project's tasks after bringing the set-up up to date: `node scripts/run.mjs TASK [arguments]`.
// What a task does is left to the program it starts, in this same process.
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildTools } from './dist.mjs';
import { root, runMain, SetupError } from './log.mjs';
import { setup } from './setup.mjs';

/** Where the programs of tools/ are built. */
const tools = '.native/tools';

/** Task -> its program and arguments. */
const tasks = {
  demo: (args) => ['dist/cli.js', 'evolve', '--preset', 'demo', ...args],
  golden: (args) => [`${tools}/golden/cli.js`, ...args],
  'make-tiny': (args) => [`${tools}/tiny/make.js`, ...args],
  'make-schema': () => ['scripts/make-schema.mjs'],
  'make-random': (args) => [`${tools}/random/make.js`, ...args],
  'pack-prebuilt': (args) => ['scripts/pack-prebuilt.mjs', ...args],
  fuzz: (args) => ['scripts/fuzz.mjs', ...args],
  // This loader writes nothing beside the config, so that the tests also run in a tree that another user owns.
  test: (args) => ['node_modules/vitest/vitest.mjs', 'run', '--configLoader', 'runner', ...args],
  bench: ([name, ...args]) => [benchmark(name), ...args],
};

function benchmark(name) {
  const file = `benchmarks/${name}.mjs`;
  if (name && existsSync(path.join(root, file))) return file;
  const names = readdirSync(path.join(root, 'benchmarks'))
    .filter((f) => f.endsWith('.mjs'))
    .map((f) => path.basename(f, '.mjs'));
  throw new SetupError(`bench: ${name ?? 'no name'} given, wanted one of ${names.join(', ')}`);
}

await runMain(async () => {
  const [task, ...args] = process.argv.slice(2);
  if (!Object.hasOwn(tasks, task ?? ''))
    throw new SetupError(`task: ${task} given, wanted one of ${Object.keys(tasks).join(', ')}`);
  const [program, ...programArgs] = tasks[task](args);
  await setup();
  if (program.startsWith(tools)) buildTools();
  process.argv = [process.argv[0], path.join(root, program), ...programArgs];
});
await import(pathToFileURL(process.argv[1]).href);
