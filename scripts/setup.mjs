// Sets up a clone: npm packages, LibTorch, the addon and dist/. Each part does only what is missing or out of date.
import { addonOutdated, buildNative, checkTools } from './build-native.mjs';
import { buildDist, canBuildDist } from './dist.mjs';
import { withLock } from './lock.mjs';
import { isMain, root, runMain, say } from './log.mjs';
import { installPackages } from './packages.mjs';

/** Brings up to date what running and testing need. One set-up of a folder at a time; a second one waits. */
export async function setup() {
  await withLock(root, async () => {
    if (addonOutdated()) checkTools();
    installPackages();
    await buildNative();
    if (canBuildDist()) buildDist();
  });
}

if (isMain(import.meta.url)) {
  await runMain(async () => {
    await setup();
    say('ready');
  });
}
