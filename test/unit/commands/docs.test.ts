// The documents without running them: their commands have verbs, flags, settings and presets that exist, their links lead somewhere.
// Their blocks are run by test/integration/docs.test.ts.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { checkLine, normalised } from '../../../src/commands/line.js';
import { verbs } from '../../../src/commands/verbs.js';
import { loadConfig } from '../../../src/config/load.js';
import { listPresets } from '../../../src/config/presets.js';
import { settingAt } from '../../../src/config/settings.js';
import { blocksOf, documents, root, textOf } from '../../fakes/documents.js';

interface Found {
  readonly name: string;
  readonly command: string;
  /** Code in the text may name a verb and a flag without what they need; that of a block can be run. */
  readonly whole: boolean;
}

/** Text without its blocks of code. */
const proseOf = (document: string): string => textOf(document).replaceAll(/^```.*?^```$/gms, '');

/** Lines of code blocks, put together again where they go on, and code in the text, that call mstar; without remarks. */
function commandsIn(name: string): Found[] {
  const shell = blocksOf(name).filter(({ language }) => language === 'sh');
  const lines = shell.flatMap(({ code }) => code.replaceAll('\\\n', ' ').split('\n'));
  const spans = [...proseOf(name).matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
  const all = [...lines.map((line) => [line, true] as const), ...spans.map((line) => [line, false] as const)];
  return all.flatMap(([line, whole]) => {
    const command = /(?:^|\s)mstar ([a-z](?:"[^"]*"|[^#;|&>"])*)/.exec(line)?.[1]?.trim();
    return command === undefined ? [] : [{ name, command, whole }];
  });
}

/** The words of a command as a shell cuts it; variables and `...` stand for words. */
function wordsOf(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, double, single, plain]) =>
    (double ?? single ?? plain ?? '').replace(/^\$\{?\w+\}?$/, '8'),
  );
}

const found = documents.flatMap(commandsIn);
const presets = await listPresets();

/** Refuses a line as the program does; that something is left out only where it must be whole. */
function check(words: readonly string[], whole: boolean): void {
  try {
    checkLine(normalised(words), verbs);
  } catch (error) {
    if (whole || !/: (no value|missing), wanted/.test(String(error))) throw error;
  }
}

describe('the commands of the documents', () => {
  it('are many', () => {
    expect(found.length).toBeGreaterThan(60);
  });

  it.each(found)('$name: mstar $command', async ({ command, whole }) => {
    const words = wordsOf(command).filter((word) => word !== '...');
    if (words[0] === 'completion') return;
    check(words, whole);
    const valuesOf = (flag: string) => words.flatMap((word, i) => (word === flag ? [words[i + 1] ?? ''] : []));
    const set = valuesOf('--set').filter((assignment) => !assignment.startsWith('NAME'));
    for (const assignment of set) {
      const [setting = ''] = assignment.split('=');
      expect(settingAt(setting.split('.')), setting).toBeDefined();
    }
    const [preset = ''] = valuesOf('--preset');
    if (!/^[a-z]/.test(preset)) return;
    expect(presets).toContain(preset);
    if (whole) await loadConfig({ preset, set });
  });

  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object };
  const npm = documents.flatMap((name) => textOf(name).match(/npm run [a-z-]+(?: -- [a-z]\w*)?/g) ?? []);
  it.each([...new Set(npm)])('%s', (command) => {
    const [, , script = '', , benchmark] = command.split(' ');
    expect(Object.keys(scripts)).toContain(script);
    if (script === 'bench' && benchmark) expect(existsSync(join(root, `benchmarks/${benchmark}.mjs`))).toBe(true);
  });
});

const site = (await import(new URL('../../../site/pages.mjs', import.meta.url).href)) as {
  pages(): string[];
  anchorOf(title: string): string;
};
const anchorsOf = (document: string): string[] =>
  [...proseOf(document).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => site.anchorOf(title));

const links = documents.flatMap((page) =>
  [...proseOf(page).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, link = '']) => ({ page, link })),
);
test.each(links)('$page links to $link, which is there', ({ page, link }) => {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : join(dirname(page), path);
  expect(existsSync(join(root, target)), target).toBe(true);
  if (anchor === undefined) return;
  expect(statSync(join(root, target)).isFile() && anchorsOf(target)).toContain(anchor);
});

test('every page of docs/ is reached from another', () => {
  const reached = new Set(links.map(({ page, link }) => join(dirname(page), link.split('#')[0] ?? '')));
  expect(documents.filter((page) => /^docs\/[^/]+$/.test(page) && !reached.has(page))).toEqual([]);
});

test('the site has every document', () => {
  expect(documents.filter((page) => !site.pages().includes(page))).toEqual([]);
});
