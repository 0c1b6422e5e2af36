// Tells whether something built is still what its sources say. Contents count, not times: a copy of the tree, or the tree
// seen by another user, is as up to date as the original.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './log.mjs';

/** Files below a folder of the project, as paths from its root, in a fixed order. */
export function filesUnder(folder) {
  const entries = readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => path.relative(root, path.join(entry.parentPath, entry.name))).sort();
}

/** Changes when a file is added, removed or gets other contents, or when a value of `others` changes. */
export function fingerprint(files, others = []) {
  const hash = createHash('sha256');
  for (const file of files) {
    const contents = readFileSync(path.join(root, file));
    hash.update(`${file} ${contents.length}\n`).update(contents);
  }
  return hash.update(JSON.stringify(others)).digest('hex');
}

/** True when the stamp left by the last build says the same. */
export function stamped(stamp, wanted) {
  try {
    return readFileSync(stamp, 'utf8') === wanted;
  } catch {
    return false;
  }
}
