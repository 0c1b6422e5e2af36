// Builds the documentation as a static site: `npm run docs` writes it to site/dist, which any web server or file host can serve.
// The pages are the Markdown files of the repository as they are; what they link to comes along, and a link that leads nowhere
// fails the build. The reference of the library is made from the types and docstrings of the entries of package.json.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildDist } from '../scripts/dist.mjs';
import { root, run, runMain, SetupError, say } from '../scripts/log.mjs';
import { installPackages } from '../scripts/packages.mjs';
import { pages } from './pages.mjs';

const site = path.join(root, 'site');
const staged = path.join(site, 'pages');
const modules = path.join(site, 'node_modules');

/** Copies the pages, and the other files that they link to, to the same places under site/pages. */
function stagePages() {
  const missing = [];
  for (const page of pages()) {
    const text = readFileSync(path.join(root, page), 'utf8');
    write(page, text);
    for (const [, link] of text.replaceAll(/^```.*?^```$/gms, '').matchAll(/\]\((?!https?:|#)([^)\s#]+)/g)) {
      const target = path.join(path.dirname(page), link);
      const file = path.join(root, target);
      if (!existsSync(file) || statSync(file).isDirectory()) missing.push(`${page}: ${link}`);
      else if (!target.endsWith('.md'))
        // VitePress takes pictures from beside the page and other files from its folder of files that it copies.
        cpSync(file, path.join(staged, /\.(png|svg)$/.test(target) ? '' : 'public', target));
    }
  }
  if (missing.length > 0) throw new SetupError(`links that lead to no file: ${missing.join(', ')}`);
}

function write(file, text) {
  mkdirSync(path.dirname(path.join(staged, file)), { recursive: true });
  writeFileSync(path.join(staged, file), text);
}

/**
 * The reference: one page for each entry of the package. An entry's functions are constants that check arguments before they call
 * what they are named after; TypeDoc has to be told that these are functions, and takes their docstrings from there.
 */
async function makeReference() {
  const { exports } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  for (const [entry, { types, default: built }] of Object.entries(exports)) {
    if (!types) continue;
    const names = Object.entries(await import(pathToFileURL(path.join(root, built)).href))
      .filter(([, value]) => typeof value === 'function' && !/^class\b/.test(String(value)))
      .map(([name]) => `/** @function */\nexport const ${name} = all.${name};`);
    const source = `../../../${types.replace('./dist/', 'src/').replace('.d.ts', '.js')}`;
    const module = path.posix.join('mstar', entry);
    const lines = [
      `/** @module ${module} */`,
      `import * as all from '${source}';`,
      `export * from '${source}';`,
      ...names,
    ];
    write(`entries/${module.replace('/', '-')}.ts`, `${lines.join('\n')}\n`);
  }
  const typedoc = path.join(modules, 'typedoc/bin/typedoc');
  run(process.execPath, [typedoc, '--options', 'typedoc.json'], 'TypeDoc failed: see the lines above', { cwd: site });
}

await runMain(async () => {
  installPackages();
  buildDist();
  // The generators are not packages of the root: nobody else needs them, and TypeDoc wants another TypeScript.
  installPackages(site);
  rmSync(staged, { recursive: true, force: true });
  stagePages();
  await makeReference();
  const vitepress = path.join(modules, 'vitepress/bin/vitepress.js');
  run(process.execPath, [vitepress, 'build'], 'VitePress failed: see the lines above', { cwd: site });
  say('site/dist/index.html');
});
