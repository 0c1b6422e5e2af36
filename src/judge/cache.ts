// Replies of a judge on disk, one small file each, so that a second run asks nothing and comes to the same verdicts.
import { readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { makeFolder } from '../core/files.js';
import type { Reply } from './client.js';

const reply = z.object({ text: z.string(), promptTokens: z.number(), completionTokens: z.number() });

/** `$XDG_CACHE_HOME/mstar/judge`, or the same under `~/.cache`. */
export function defaultCacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'mstar', 'judge');
}

export class ReplyCache {
  readonly #dir: string;
  #written = 0;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Null where there is none, or a damaged one. @param key hexadecimal digits */
  async get(key: string): Promise<Reply | null> {
    try {
      return reply.parse(JSON.parse(await readFile(this.#path(key), 'utf8')));
    } catch {
      return null;
    }
  }

  async put(key: string, { text, promptTokens, completionTokens }: Reply): Promise<void> {
    const path = this.#path(key);
    // Another process may write the same reply: each has its own file until it is whole.
    const aside = `${path}.${process.pid}.${++this.#written}`;
    await makeFolder(dirname(path));
    await writeFile(aside, JSON.stringify({ text, promptTokens, completionTokens }));
    await rename(aside, path);
  }

  #path(key: string): string {
    return join(this.#dir, key.slice(0, 2), `${key}.json`);
  }
}
