// What `npm install` of the package starts: nothing to do where a prebuilt addon fits, else the addon is built here.
// `node scripts/build-native.mjs` builds it in any case, and what is built goes before what is prebuilt.
import { installNative } from './build-native.mjs';
import { canBuildDist } from './dist.mjs';
import { runMain, say } from './log.mjs';
import { prebuilt } from './prebuilt.mjs';

await runMain(async () => {
  const { why } = canBuildDist() ? { why: '' } : prebuilt();
  if (why === undefined) return;
  if (why) say(`no prebuilt addon fits (${why}): building from source`);
  await installNative();
});
