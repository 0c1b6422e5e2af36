// The examples for clusters, read as far as that goes without a cluster: shell and YAML, flags, variables, ranks.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { checkLine, normalised } from '../../../src/commands/line.js';
import { verbs } from '../../../src/commands/verbs.js';
import { rankFrom } from '../../../src/distributed/environment.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const folder = join(root, 'examples/cluster');
const files = readdirSync(folder).sort();
const scripts = files.filter((name) => name.endsWith('.sh'));
const images = files.filter((name) => name.startsWith('Dockerfile'));
const manifests = files.filter((name) => name.endsWith('.yaml'));
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

/** What the program reads of its environment. */
const known = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .flatMap((name) => readFileSync(join(root, 'src', name), 'utf8').match(/\b[A-Z][A-Z0-9_]+\b/g) ?? []);

/** The lines of a script that start mstar, as words; variables stand as 8. */
function commandsOf(script: string): string[][] {
  const lines = script.replaceAll('\\\n', ' ').split('\n');
  const commands = lines
    .filter((line) => !line.startsWith('#'))
    .flatMap((line) => line.match(/\bmstar [a-z][^;|&]*/g) ?? []);
  return commands.map((command) =>
    command
      .trim()
      .split(/\s+/)
      .slice(1)
      .map((word) => word.replace(/"?\$\{?\w+[^}"]*\}?"?/, '8')),
  );
}

/** All maps in a manifest. */
function mapsIn(value: unknown): Record<string, unknown>[] {
  if (Array.isArray(value)) return value.flatMap(mapsIn);
  if (typeof value !== 'object' || value === null) return [];
  return [value as Record<string, unknown>, ...Object.values(value).flatMap(mapsIn)];
}

describe.each(scripts)('%s', (name) => {
  it('is a script that bash can read, and says how it is started', () => {
    expect(spawnSync('bash', ['-n', join(folder, name)], { encoding: 'utf8' })).toMatchObject({
      status: 0,
      stderr: '',
    });
    expect(read(name).split('\n').slice(1, 4).join('\n')).toContain(`${name} recipe.yaml`);
  });

  it('gives mstar flags that it has', () => {
    const commands = commandsOf(read(name));
    expect(commands.length).toBeGreaterThan(0);
    for (const words of commands) checkLine(normalised(words), verbs);
  });

  it('sets variables that mstar reads', () => {
    for (const variable of read(name).match(/\bMSTAR_[A-Z]+/g) ?? []) expect(known).toContain(variable);
  });

  it('goes on after a lost process and not after an error of the recipe', () => {
    expect(read(name)).toMatch(/--max-restarts|"\$code" -gt 1 .*requeue/s);
  });
});

describe.each(manifests)('%s', (name) => {
  const documents = parseAllDocuments(read(name));
  const maps = documents.flatMap((document) => mapsIn(document.toJS()));
  const container = maps.find((map) => Array.isArray(map.command)) as {
    command: string[];
    env: { name: string; value?: string }[];
  };
  const job = maps.find((map) => 'completions' in map) as { completions: number; parallelism: number };

  it('is YAML', () => {
    expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
  });

  it('gives mstar flags that it has and variables that it reads', () => {
    expect(container.command[0]).toBe('mstar');
    checkLine(normalised(container.command.slice(1)), verbs);
    for (const { name } of container.env) expect(known).toContain(name);
  });

  it('makes each pod the rank of its index among all pods, which are there at the same time', () => {
    const set = Object.fromEntries(container.env.map(({ name, value }) => [name, value]));
    const rank = rankFrom({ ...set, JOB_COMPLETION_INDEX: '3' });
    expect(rank).toMatchObject({ rank: 3, size: job.completions, localRank: 0 });
    expect(rank?.host).toMatch(/^mstar(-ranks-0)?-0\.mstar$/);
    expect(job.parallelism).toBe(job.completions);
  });
});

describe.each(images)('%s', (name) => {
  const instructions = read(name)
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => /^[A-Z]/.test(line))
    .map((line) => line.split(/\s+/));
  const of = (what: string): string[][] => instructions.filter(([first]) => first === what).map(([, ...rest]) => rest);
  const stages = of('FROM').flatMap(([, as, stage]) => (as === 'AS' && stage ? [stage] : []));

  it('takes images by version, and files from its own stages', () => {
    for (const [image] of of('FROM')) expect(image).toMatch(/:\d+\.\d+\.\d+-/);
    const from = of('COPY').flatMap((words) => words.filter((word) => word.startsWith('--from=')));
    expect(from.length).toBeGreaterThan(0);
    for (const word of from) expect(stages).toContain(word.slice('--from='.length));
  });

  it('builds with the set-up of a clone and keeps what the package needs at run time', () => {
    const build = of('RUN').map((words) => words.join(' '));
    expect(build.some((line) => line.includes('node scripts/setup.mjs'))).toBe(true);
    expect(existsSync(join(root, 'scripts/setup.mjs'))).toBe(true);
    const removed = build.flatMap((line) => line.match(/rm -rf (?!\/var)[^&]*/g) ?? []).join(' ');
    for (const part of ['dist', 'assets', 'node_modules', 'native/', '.native/Release'])
      expect(removed.split(/\s+/)).not.toContain(part);
  });

  it('runs mstar as an ordinary user, with flags that it has', () => {
    const last = instructions.findLastIndex(([first]) => first === 'FROM');
    const user = instructions.slice(last).find(([first]) => first === 'USER')?.[1];
    expect(user).toMatch(/^(?!root$|0$)\w+$/);
    const health = JSON.parse((of('HEALTHCHECK')[0] ?? []).slice(3).join(' ')) as string[];
    checkLine(normalised(health.slice(1)), verbs);
    expect(of('ENTRYPOINT')).toEqual([['["mstar"]']]);
  });
});

it('every example of a cluster has its line in the README', () => {
  for (const name of files.filter((name) => name !== 'README.md'))
    expect(read('README.md')).toMatch(new RegExp(`^\\| \`${name}\` +\\|`, 'm'));
});
