// Every command of the documents, as far as that goes without running it: verbs and flags that exist, settings and presets too.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { checkLine, normalised } from '../../../src/commands/line.js';
import { verbs } from '../../../src/commands/verbs.js';
import { listPresets } from '../../../src/config/presets.js';
import { settingAt } from '../../../src/config/settings.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const inFolder = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));
const documents = ['README.md', 'CONTRIBUTING.md', ...inFolder('docs'), ...inFolder('examples')];

interface Found {
  readonly name: string;
  readonly command: string;
  /** Code in the text may name a verb and a flag without what they need; that of a block can be run. */
  readonly whole: boolean;
}

/** Lines of code blocks, put together again where they go on, and code in the text, that call mstar; without remarks. */
function commandsIn(name: string, text: string): Found[] {
  const block = /```(?:sh|bash)\n([\s\S]*?)```/g;
  const lines = [...text.matchAll(block)].flatMap(([, code = '']) => code.replaceAll('\\\n', ' ').split('\n'));
  const spans = [...text.replaceAll(/```[\s\S]*?```/g, '').matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
  const all = [...lines.map((line) => [line, true] as const), ...spans.map((line) => [line, false] as const)];
  return all.flatMap(([line, isLine]) => {
    const command = /(?:^|\s)mstar ([a-z][^#;|&>]*)/.exec(line)?.[1]?.trim();
    return command === undefined ? [] : [{ name, command, whole: isLine && !command.includes('...') }];
  });
}

/** The words of a command as a shell cuts it; variables and `...` stand for words. */
function wordsOf(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, double, single, plain]) =>
    (double ?? single ?? plain ?? '').replace(/^\$\{?\w+\}?$/, '8'),
  );
}

const found = documents.flatMap((name) => commandsIn(name, readFileSync(join(root, name), 'utf8')));
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

  it.each(found)('$name: mstar $command', ({ command, whole }) => {
    const words = wordsOf(command).filter((word) => word !== '...');
    if (words[0] === 'completion') return;
    check(words, whole);
    for (const [i, word] of words.entries()) {
      const value = words[i + 1] ?? '';
      const [setting = ''] = value.split('=');
      if (word === '--set' && setting !== 'NAME') expect(settingAt(setting.split('.')), setting).toBeDefined();
      if (word === '--preset' && /^[a-z]/.test(value)) expect(presets).toContain(value);
    }
  });
});
