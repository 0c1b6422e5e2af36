// Responses of every kind with the verdict they must get, from cases/*.txt: `# kind`, `> choices = letter` or `> answer : type
// [precision]`, then one response a line, `+` for correct and `-` for any other verdict; `⏎` is a line end.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readRow } from '../../../../src/grade/row.js';
import { mstar } from '../../../../src/reward/protocol/mstar.js';

const folder = fileURLToPath(new URL('cases', import.meta.url));

interface Case {
  readonly kind: string;
  readonly response: string;
  readonly right: boolean;
  readonly problem: Record<string, unknown>;
}

function readProblem(line: string): Record<string, unknown> {
  const choices = /^> (.*) = ([A-Z])$/.exec(line);
  if (choices) return { choices: (choices[1] as string).split(' | '), answer: choices[2] };
  const [, answer, type, precision] = /^> (.*) : (\w+)(?: (\d+))?$/.exec(line) as RegExpExecArray;
  return { answer, answer_type: type, ...(precision === undefined ? {} : { precision: Number(precision) }) };
}

function readCases(file: string): Case[] {
  let [kind, problem] = ['', {}];
  return readFileSync(path.join(folder, file), 'utf8')
    .split('\n')
    .flatMap((line) => {
      if (line.startsWith('# ')) kind = line.slice(2);
      if (line.startsWith('> ')) problem = readProblem(line);
      if (!/^[+-] /.test(line)) return [];
      return [{ kind, problem, response: line.slice(2).replaceAll('⏎', '\n'), right: line.startsWith('+') }];
    });
}

describe.each(readdirSync(folder))('%s', (file) => {
  const cases = readCases(file);

  it.each([...new Set(cases.map(({ kind }) => kind))])('%s', (kind) => {
    const rows = cases.filter((row) => row.kind === kind);
    expect(rows.length).toBeGreaterThan(10);
    const differing = rows.filter(({ problem, response, right }) => {
      const row = readRow({ id: 'a', ...problem, response }, { file, line: 1 });
      return (mstar.grade(row).verdict === 'correct') !== right;
    });
    expect(differing).toEqual([]);
  });
});
