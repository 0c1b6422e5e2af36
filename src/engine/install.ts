// Which command builds the addon where this package stands: in a clone, or installed by one package manager or another.
// All that happens where install scripts were skipped, which some managers do unless they are told otherwise.
import { existsSync } from 'node:fs';
import path from 'node:path';

/** Words for a message: the command, and where to run it. `packageRoot` is the package's folder with links followed. */
export function howToBuild(packageRoot: string): string {
  const modules = packageRoot.split(path.sep).indexOf('node_modules');
  if (modules < 0) return `run \`npm run setup\` in ${packageRoot}`;
  // The outermost node_modules is the project's: pnpm keeps packages in a node_modules of their own inside it.
  const project = packageRoot.split(path.sep).slice(0, modules).join(path.sep) || path.sep;
  const has = (file: string): boolean => existsSync(path.join(project, file));
  const where = `in ${project}`;
  if (has('node_modules/.modules.yaml') || has('node_modules/.pnpm'))
    return `run \`pnpm approve-builds\` and choose mstar, or \`pnpm rebuild mstar\` where it is allowed, ${where}`;
  if (has('node_modules/.yarn-state.yml')) return `run \`yarn rebuild mstar\` ${where}`;
  if (has('bun.lock') || has('bun.lockb')) return `run \`bun pm trust mstar\` ${where}`;
  return `run \`npm rebuild mstar --ignore-scripts=false --foreground-scripts\` ${where}`;
}
