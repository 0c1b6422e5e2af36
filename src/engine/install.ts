// Which command builds the addon where this package stands: in a clone, or installed by one package manager or another.
// Needed where install scripts were skipped, which npm from 12 on and pnpm do unless they are told otherwise.
import { existsSync } from 'node:fs';
import path from 'node:path';

/** Words for a message: the command, and where to run it. `packageRoot` is the package's folder with links followed. */
export function howToBuild(packageRoot: string): string {
  const modules = packageRoot.split(path.sep).indexOf('node_modules');
  if (modules < 0) return `run \`npm run setup\` in ${packageRoot}`;
  // The outermost node_modules is the project's: pnpm keeps packages in a node_modules of their own inside it.
  const project = packageRoot.split(path.sep).slice(0, modules).join(path.sep) || path.sep;
  const has = (file: string): boolean => existsSync(path.join(project, file));
  const command = rebuild(has);
  return `run ${command} in ${project}, or \`node "${path.join(packageRoot, 'scripts/build-native.mjs')}"\``;
}

/** What each package manager needs to be told, known by what it leaves in a project. */
function rebuild(has: (file: string) => boolean): string {
  if (has('node_modules/.modules.yaml') || has('node_modules/.pnpm'))
    return '`pnpm approve-builds` and choose mstar (`pnpm rebuild mstar` where it is allowed)';
  if (has('node_modules/.yarn-state.yml')) return '`yarn rebuild mstar`';
  if (has('bun.lock') || has('bun.lockb')) return '`bun pm trust mstar`';
  return '`npm rebuild mstar --ignore-scripts=false --foreground-scripts` (npm 12: after `npm install-scripts approve mstar`)';
}
