// `npm run check`: format and lint (biome), types of sources and tests (tsc), format of the C++ (clang-format).
// `npm run format` (--write) writes what the formatters would. Every part runs; one that fails makes the whole fail.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { root, runMain, SetupError, say } from './log.mjs';
import { installPackages } from './packages.mjs';

const require = createRequire(import.meta.url);
const write = process.argv.includes('--write');

/** Name -> command. */
function parts() {
  const node = process.execPath;
  const tsc = 'node_modules/typescript/bin/tsc';
  const all = [['biome', node, 'node_modules/@biomejs/biome/bin/biome', 'check', ...(write ? ['--write'] : [])]];
  const format = clangFormat();
  if (format) all.push(['clang-format', format, ...(write ? ['-i'] : ['--dry-run', '-Werror']), ...cpp()]);
  // The types of tools/ are checked with those of the tests, which import them from their sources.
  if (!write) all.push(['types of src', node, tsc, '--noEmit'], ['types of test and tools', node, tsc, '-p', 'test']);
  return all;
}

/** The npm package's program, which gives everybody one version; it has none for some platforms. */
function clangFormat() {
  try {
    return require('clang-format').getNativeBinary();
  } catch (error) {
    say(`check: the format of the C++ is NOT checked: ${error.message.split('\n')[0]}`);
    return undefined;
  }
}

function cpp() {
  const names = readdirSync(path.join(root, 'native'), { recursive: true });
  return names.filter((name) => /\.(h|cpp|cu)$/.test(name)).map((name) => path.join('native', name));
}

await runMain(async () => {
  installPackages();
  const failed = parts().filter(([name, program, ...args]) => {
    say(`check: ${name}`);
    return spawnSync(program, args, { cwd: root, stdio: 'inherit' }).status !== 0;
  });
  if (failed.length > 0) throw new SetupError(`check: failed: ${failed.map(([name]) => name).join(', ')}`);
});
