// Begins a run with the phases that another run has done: the warm-up, the labels and the PRM of one serve many.
// Files are linked, not copied: what a run has written it never changes in place.
// Leaves going on from there to folder.ts and which settings decide which phase to the caller.
import { copyFile, link, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { UserError } from '../core/errors.js';
import { listNames, putDurable } from './durable.js';
import type { Commit } from './journal.js';
import { differences, keepSettings } from './settings.js';

export interface Adoption {
  /** Run folder to take from; it may still be at work. */
  readonly from: string;
  /** Settings of the new run. */
  readonly settings: object;
  /** Whether a phase is taken although these settings (dotted names) differ; the first that is not ends what is taken. */
  readonly takes: (phase: string, differing: readonly string[]) => boolean;
}

/** Files beside those that commits name. */
const SHARED = ['splits.json', 'problems'];

/**
 * Makes the new run folder `dir`.
 * @returns names of the phases taken
 * @throws UserError where no phase can be taken, naming a setting that differs
 */
export async function adopt(dir: string, { from, settings, takes }: Adoption): Promise<string[]> {
  const config = await readFile(join(from, 'config.yaml'), 'utf8').catch(() => {
    throw new UserError(`${from}: run: no config.yaml, wanted the folder of a run`);
  });
  const differing = differences(parse(config, { prettyErrors: false }) as unknown, settings).map(({ key }) => key);
  const { lines, commits } = await readPrefix(join(from, 'journal.jsonl'), (phase) => takes(phase, differing));
  if (commits.length === 0) {
    const [setting] = differing;
    throw new UserError(
      setting === undefined
        ? `${from}: run: no finished phase, wanted at least its warm-up`
        : `${from}: ${setting}: another value, wanted the same in both runs for their warm-up to be shared`,
    );
  }
  const checkpoints = commits.flatMap(({ checkpoint }) => (checkpoint ? [`checkpoints/${checkpoint.name}`] : []));
  const outputs = commits.flatMap((commit) => Object.keys(commit.outputs));
  const phases = commits.map(({ phase }) => phase);
  await putDurable(dir, async (aside) => {
    await mkdir(aside);
    for (const path of [...SHARED, ...checkpoints, ...new Set(outputs)]) {
      await linkTree(join(from, path), join(aside, path));
    }
    await writeFile(join(aside, 'journal.jsonl'), lines);
    await writeFile(join(aside, 'timings.json'), await secondsOf(join(from, 'timings.json'), phases));
    await keepSettings(aside, settings, true);
  });
  return phases;
}

/** The journal up to the last commit of the phases at its start that are wanted. */
async function readPrefix(
  path: string,
  wanted: (phase: string) => boolean,
): Promise<{ readonly lines: string; readonly commits: Commit[] }> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const commits: Commit[] = [];
  let kept = 0;
  let end = 0;
  for (const line of text.split('\n').slice(0, -1)) {
    end += line.length + 1;
    const event = JSON.parse(line) as { readonly event: string };
    if (event.event !== 'commit') continue;
    const commit = event as unknown as Commit;
    if (!wanted(commit.phase)) break;
    commits.push(commit);
    kept = end;
  }
  return { lines: text.slice(0, kept), commits };
}

async function secondsOf(path: string, phases: readonly string[]): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '{}');
  const seconds = JSON.parse(text) as Record<string, number>;
  return `${JSON.stringify(Object.fromEntries(phases.map((phase) => [phase, seconds[phase] ?? 0])), null, 2)}\n`;
}

/** A file or folder under another name; one that is not there is left out. */
async function linkTree(from: string, to: string): Promise<void> {
  const info = await stat(from).catch(() => undefined);
  if (!info) return;
  if (info.isDirectory()) {
    await mkdir(to, { recursive: true });
    for (const name of await listNames(from)) await linkTree(join(from, name), join(to, name));
    return;
  }
  await mkdir(dirname(to), { recursive: true });
  // Other file systems, and some that know no links, get a copy.
  await link(from, to).catch(() => copyFile(from, to));
}
