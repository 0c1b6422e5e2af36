// The site that VitePress makes of the pages: everything in it is a file of its own, and nothing is fetched from elsewhere.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { defineConfig } from 'vitepress';
import { anchorOf, sections } from '../pages.mjs';

const api = path.join(import.meta.dirname, '../pages/api');
const linkOf = (file) => `/${file.replace(/README\.md$/, '').replace(/\.md$/, '')}`;
const reference = readdirSync(api, { recursive: true })
  .filter((name) => name.endsWith('.md') && name !== 'index.md')
  .sort()
  .map((name) => ({
    text: readFileSync(path.join(api, name), 'utf8').split('\n')[0].slice(2),
    link: linkOf(`api/${name}`),
  }));
const items = Object.entries(sections).map(([text, list]) => ({
  text,
  collapsed: text === 'How it is built',
  items: [
    ...list.map(([title, file]) => ({ text: title, link: linkOf(file) })),
    ...(text === 'Library' ? reference : []),
  ],
}));

export default defineConfig({
  title: 'mstar',
  description: 'Self-evolving training of vision-language models',
  srcDir: 'pages',
  outDir: 'dist',
  cacheDir: 'node_modules/.cache/vitepress',
  // A page is README.md on GitHub and index.html here.
  rewrites: { 'README.md': 'index.md', 'examples/cluster/README.md': 'examples/cluster/index.md' },
  markdown: { anchor: { slugify: anchorOf } },
  // Files that are no pages were copied beside them by build.mjs, which has seen that they are there.
  ignoreDeadLinks: [/\.[a-z]+$/],
  themeConfig: {
    sidebar: items,
    outline: [2, 3],
    search: { provider: 'local' },
  },
});
