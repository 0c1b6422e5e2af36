// Checkpoint folders that are whole or absent: written aside, a manifest last, flushed, renamed.
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isInside, listNames, putDurable, writeDurable } from './durable.js';
import type { Json, OutputMark } from './journal.js';
import { markOf, outputFault } from './outputs.js';

const MANIFEST = 'manifest.json';

interface Manifest {
  readonly format: 1;
  /** What the checkpoint is: phase, optimizer steps, digest of the settings. */
  readonly about: Json;
  /** Every other file of the folder, by path with `/`. */
  readonly files: Readonly<Record<string, OutputMark>>;
}

/**
 * Makes or replaces the checkpoint `dir`: `save` writes the model into the folder it is given (which does not exist yet),
 * the manifest with sizes and SHA-256 follows, and one rename makes it appear.
 */
export async function commitCheckpoint(dir: string, about: Json, save: (dir: string) => Promise<void>): Promise<void> {
  await putDurable(dir, async (aside) => {
    await save(aside);
    const files: Record<string, OutputMark> = {};
    for (const path of await listFiles(aside)) files[path] = await markOf(join(aside, path));
    const manifest: Manifest = { format: 1, about, files };
    await writeDurable(join(aside, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  });
}

/** Why a checkpoint cannot be used, in a few words; undefined where every file is as its manifest says. */
export async function faultOf(dir: string): Promise<string | undefined> {
  let manifest: Manifest;
  try {
    manifest = JSON.parse(await readFile(join(dir, MANIFEST), 'utf8')) as Manifest;
    if (manifest.format !== 1 || !Object.keys(manifest.files).every(isInside)) throw new Error('form');
  } catch {
    return 'no readable manifest.json';
  }
  for (const [path, mark] of Object.entries(manifest.files)) {
    const fault = await outputFault(join(dir, path), mark);
    if (fault) return `${path}: ${fault}`;
  }
  return undefined;
}

/** What `commitCheckpoint` was told about a folder that `faultOf` found whole. */
export async function aboutOf(dir: string): Promise<Json> {
  return (JSON.parse(await readFile(join(dir, MANIFEST), 'utf8')) as Manifest).about;
}

async function listFiles(dir: string, inside = ''): Promise<string[]> {
  const files: string[] = [];
  for (const name of await listNames(join(dir, inside))) {
    const path = inside === '' ? name : `${inside}/${name}`;
    if ((await stat(join(dir, path))).isDirectory()) files.push(...(await listFiles(dir, path)));
    else files.push(path);
  }
  return files;
}
