// Compares run folders byte by byte, leaving the clock aside.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Files whose bytes depend on the clock. */
const CLOCK = ['timings.json'];

/** Digest of every file of a run by path; seconds in summary.json do not count, nor does a lock. */
export function fingerprint(run: string): Record<string, string> {
  const prints: Record<string, string> = {};
  for (const path of readdirSync(run, { recursive: true, encoding: 'utf8' }).sort()) {
    const file = join(run, path);
    if (statSync(file).isDirectory() || CLOCK.includes(path) || path.startsWith('lock-')) continue;
    const bytes = path === 'summary.json' ? withoutSeconds(readFileSync(file, 'utf8')) : readFileSync(file);
    prints[path] = createHash('sha256').update(bytes).digest('hex');
  }
  return prints;
}

function withoutSeconds(text: string): string {
  return JSON.stringify(JSON.parse(text, (key, value) => (key === 'seconds' ? undefined : value)));
}
