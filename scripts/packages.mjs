// Installs the npm packages of package-lock.json where they are not the ones in node_modules.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root, run, SetupError, say, which } from './log.mjs';

/** `npm ci` in a folder when a package is missing or of another version. No package here needs its install script. */
export function installPackages(folder = root) {
  if (installed(folder)) return;
  if (!which('npm')) throw new SetupError('missing on this machine: npm; it comes with Node.js 20 or newer');
  say('installing npm packages');
  const hint = 'npm ci failed: see the lines above; check the network and `npm config get registry`';
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], hint, { cwd: folder });
}

function installed(folder) {
  const found = readLock(path.join(folder, 'node_modules/.package-lock.json'));
  return Object.entries(readLock(path.join(folder, 'package-lock.json'))).every(([name, wanted]) => {
    if (name === '') return true;
    // A package for another platform is optional and absent.
    return found[name] ? found[name].version === wanted.version : wanted.optional === true;
  });
}

/** Folder in node_modules -> package, as npm's lock files list them; empty when there is no such file. */
function readLock(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    return {};
  }
}
