// How the scripts speak and start programs: progress on stderr, one closing line on failure.
// Plain Node without packages: these scripts run before npm has installed anything.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's root folder. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** A failure that the user can mend: its message is the one line that says how. */
export class SetupError extends Error {}

/** What to do about a part of this tree that is out of date and cannot be written. */
export const ownTree = 'let its owner run `npm run setup`, or work in a copy of the tree';

/** Makes a folder where there is none; throws one line that ends in `hint` when this user cannot write there. */
export function makeFolder(folder, hint) {
  try {
    makeWithParents(folder);
    accessSync(folder, constants.W_OK);
  } catch (error) {
    const reasons = { EACCES: 'permission denied', EROFS: 'read-only file system', ENOTDIR: 'is below a file' };
    throw new SetupError(`${folder}: cannot be written (${reasons[error.code] ?? error.code}): ${hint}`);
  }
}

/** Node's own recursive mkdir never returns where a file system refuses a folder with ENOENT, as /proc does. */
function makeWithParents(folder) {
  if (existsSync(folder)) return;
  makeWithParents(path.dirname(folder));
  try {
    mkdirSync(folder);
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
}

/** Prints a line of progress. stderr, so that stdout stays what the command is asked for. */
export function say(line) {
  console.error(`mstar: ${line}`);
}

/** Runs `main` and ends the process with one line and exit code 1 when it fails. */
export async function runMain(main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`error: ${error.message}`);
    process.exit(1);
  }
}

/** True when `moduleUrl` is the script that node was started with. */
export function isMain(moduleUrl) {
  const started = process.argv[1];
  return started !== undefined && existsSync(started) && realpathSync(started) === fileURLToPath(moduleUrl);
}

/** Absolute path of a program on PATH, or undefined. */
export function which(name) {
  for (const folder of (process.env.PATH ?? '').split(path.delimiter)) {
    const file = path.join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {}
  }
  return undefined;
}

/** Runs a program with its output on our stderr; throws SetupError(`hint`) when it fails. */
export function run(command, args, hint, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options });
  if (result.signal) throw new SetupError(`${path.basename(command)} was stopped by ${result.signal}`);
  if (result.status !== 0) throw new SetupError(hint);
}

/** Runs a program and returns its stdout, or undefined when it cannot run or fails. */
export function output(command, args) {
  const result = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return result.status === 0 ? result.stdout : undefined;
}
