// Marks the files that phases leave by size and SHA-256, for the journal, and compares them before they are used again.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../core/errors.js';
import { hashFile } from './durable.js';
import { journalHead, type OutputMark } from './journal.js';

/** The mark of a file as it is. */
export async function markOf(path: string): Promise<OutputMark> {
  return { bytes: (await stat(path)).size, sha256: await hashFile(path) };
}

/** How a file differs from its mark, in a few words; undefined where it does not. */
export async function outputFault(path: string, { bytes, sha256 }: OutputMark): Promise<string | undefined> {
  const info = await stat(path).catch(() => undefined);
  if (!info) return 'missing';
  if (info.size !== bytes) return `${info.size} bytes, wanted ${bytes}`;
  if ((await hashFile(path)) !== sha256) return 'differs from its SHA-256';
  return undefined;
}

/**
 * Reading a file of a run that decides what is trained begins here: one that somebody changed is not used.
 * @param paths inside the run folder; those that no commit names are not looked at
 * @throws UserError naming the first file that is not what the run wrote
 */
export async function requireOutputs(run: string, paths: readonly string[]): Promise<void> {
  const { commits } = await journalHead(join(run, 'journal.jsonl'), () => true);
  const marks = new Map(commits.flatMap(({ outputs }) => Object.entries(outputs)));
  for (const path of paths) {
    const mark = marks.get(path);
    const fault = mark && (await outputFault(join(run, path), mark));
    if (fault)
      throw new UserError(`${join(run, path)}: file: ${fault.split(',')[0]}, wanted it as the run wrote it`, 'ERR_RUN');
  }
}
