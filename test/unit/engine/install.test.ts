import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { howToBuild } from '../../../src/engine/binding.js';

const base = mkdtempSync(path.join(os.tmpdir(), 'mstar-install-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** The package's folder in a project that holds these files. */
function installed(name: string, files: readonly string[], at = 'node_modules/mstar'): [string, string] {
  const project = path.join(base, name);
  for (const file of files) {
    mkdirSync(path.dirname(path.join(project, file)), { recursive: true });
    writeFileSync(path.join(project, file), '');
  }
  return [project, path.join(project, at)];
}

/** What works whatever the manager allows. */
const directly = (root: string) => `\`node "${path.join(root, 'scripts/build-native.mjs')}"\``;

test('in a clone it is the set-up', () => {
  expect(howToBuild('/home/a/mstar')).toBe('run `npm run setup` in /home/a/mstar');
});

test('npm and those that leave the same layout rebuild, even where scripts are switched off in a file', () => {
  const [project, root] = installed('npm', ['node_modules/.package-lock.json']);
  expect(howToBuild(root)).toBe(
    'run `npm rebuild mstar --ignore-scripts=false --foreground-scripts` (npm 12: after `npm install-scripts approve mstar`) ' +
      `in ${project}, or ${directly(root)}`,
  );
});

test('pnpm is known by its store inside node_modules, from which the package is linked', () => {
  const store = 'node_modules/.pnpm/mstar@0.1.0/node_modules/mstar';
  const [project, root] = installed('pnpm', ['node_modules/.modules.yaml'], store);
  expect(howToBuild(root)).toContain('`pnpm approve-builds`');
  expect(howToBuild(root)).toContain('`pnpm rebuild mstar`');
  expect(howToBuild(root)).toContain(` in ${project}, or ${directly(root)}`);
});

test('Yarn and Bun have commands of their own', () => {
  const [yarn, fromYarn] = installed('yarn', ['node_modules/.yarn-state.yml']);
  expect(howToBuild(fromYarn)).toBe(`run \`yarn rebuild mstar\` in ${yarn}, or ${directly(fromYarn)}`);
  const [bun, fromBun] = installed('bun', ['bun.lock']);
  expect(howToBuild(fromBun)).toBe(`run \`bun pm trust mstar\` in ${bun}, or ${directly(fromBun)}`);
});
