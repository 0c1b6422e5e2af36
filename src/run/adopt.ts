// Begins a run with the phases that another run has done: the warm-up, the labels and the PRM of one serve many. Files
// are linked, not copied: what a run has written it never changes in place.
import { copyFile, link, lstat, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UserError } from '../core/errors.js';
import { makeFolder } from '../core/files.js';
import { refuseEarlierRun } from '../core/renamed.js';
import { listNames, putDurable, writeDurable } from './durable.js';
import { journalHead } from './journal.js';
import { checkOutputFolder } from './output.js';
import { requireOutputs } from './outputs.js';
import { differences, keepSettings, readSettings, type Why } from './settings.js';
import { readTimings } from './timings.js';

export interface Adoption {
  /** Run folder to take from; it may still be at work. */
  readonly from: string;
  /** Settings of the new run. */
  readonly settings: object;
  /** Of settings that differ; all matter when left out. */
  readonly why?: Why;
  /** Whether a phase is taken although these settings (dotted names) differ; the first that is not ends what is taken. */
  readonly takes: (phase: string, differing: readonly string[]) => boolean;
}

/** Files beside those that commits name. */
const SHARED = ['splits.json', 'problems', 'problems-out-of-domain'];

/**
 * Makes the new run folder `dir`.
 * @returns names of the phases taken
 * @throws UserError where no phase can be taken, naming a setting that differs, or an earlier version made the run
 */
export async function adopt(dir: string, { from, settings, why = () => '', takes }: Adoption): Promise<string[]> {
  await checkOutputFolder({ flag: 'run folder', path: dir });
  const kept = await settingsToTake(from);
  const differing = differences(kept, settings)
    .filter((difference) => why(difference) !== null)
    .map(({ key }) => key);
  const journal = join(from, 'journal.jsonl');
  const { text, commits } = await journalHead(journal, (phase) => takes(phase, differing));
  if (commits.length === 0) {
    const [first] = (await journalHead(journal, () => true)).commits;
    const setting = first && differing.find((name) => !takes(first.phase, [name]));
    throw new UserError(
      setting === undefined
        ? `${from}: run: no finished phase, wanted at least its warm-up`
        : `${from}: ${setting}: another value, wanted the same in both runs for their warm-up to be shared`,
      'ERR_RUN',
    );
  }
  const checkpoints = commits.flatMap(({ checkpoint }) => (checkpoint ? [`checkpoints/${checkpoint.name}`] : []));
  const outputs = commits.flatMap((commit) => Object.keys(commit.outputs));
  await requireOutputs(from, outputs);
  const phases = commits.map(({ phase }) => phase);
  const seconds = await readTimings(join(from, 'timings.json'));
  const taken = Object.fromEntries(phases.map((phase) => [phase, seconds[phase] ?? 0]));
  await putDurable(dir, async (aside) => {
    await mkdir(aside);
    for (const path of [...SHARED, ...checkpoints, ...new Set(outputs)]) {
      await linkTree(join(from, path), join(aside, path));
    }
    await writeDurable(join(aside, 'journal.jsonl'), text);
    await writeDurable(join(aside, 'timings.json'), `${JSON.stringify(taken, null, 2)}\n`);
    await keepSettings(aside, settings, true);
  });
  return phases;
}

/** The settings of a run to take phases from. Throws UserError where there is none, or an earlier version made it. */
export async function settingsToTake(from: string): Promise<unknown> {
  const kept = await readSettings(from);
  if (kept === undefined) throw new UserError(`${from}: run: no config.yaml, wanted the folder of a run`, 'ERR_RUN');
  refuseEarlierRun(from, kept.values);
  return kept.values;
}

/** A file or folder under another name; one that is not there is left out. */
async function linkTree(from: string, to: string): Promise<void> {
  const info = await lstat(from).catch(() => undefined);
  if (!info) return;
  if (info.isSymbolicLink())
    throw new UserError(`${from}: run: a link, wanted a file or folder of the run itself`, 'ERR_RUN');
  if (info.isDirectory()) {
    await makeFolder(to);
    for (const name of await listNames(from)) await linkTree(join(from, name), join(to, name));
    return;
  }
  await makeFolder(dirname(to));
  // Other file systems, and some that know no links, get a copy.
  await link(from, to).catch(() => copyFile(from, to));
}
