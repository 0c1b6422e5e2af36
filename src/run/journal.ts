// The journal of a run: one JSON event a line, appended; `commit` lines say which phases are done for good.
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { z } from 'zod';
import { UserError } from '../core/errors.js';
import { checked } from '../core/schema.js';
import { isInside } from './durable.js';

/** Plain data that a line can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

export interface JournalEvent {
  readonly event: string;
  readonly [key: string]: Json | undefined;
}

const bytes = z.int().min(0);

/** Response tokens of a phase, by what was done with them. */
export const tokenCounts = z.object({ sampled: bytes, scored: bytes, trained: bytes });
export type TokenCounts = Readonly<z.output<typeof tokenCounts>>;

const outputMark = z.object({ bytes, sha256: z.string() });
/** What a file held when it was written: its size, and its SHA-256 in hex. */
export type OutputMark = Readonly<z.output<typeof outputMark>>;

/** In a journal that may come from anywhere: the files and folders that it names are deleted and linked. */
const commitSchema = z.object({
  event: z.literal('commit'),
  phase: z.string(),
  result: z.unknown().transform((result) => result as Json),
  tokens: tokenCounts,
  /** Each file written, by path inside the run folder. */
  outputs: z.record(z.string(), outputMark).superRefine((outputs, context) => {
    const outside = Object.keys(outputs).find((path) => !isInside(path));
    if (outside !== undefined)
      context.addIssue({ code: 'custom', path: [outside], message: 'a path inside the run folder' });
  }),
  /** Name under checkpoints/ and whose weights it holds, where the phase made one. */
  checkpoint: z
    .object({
      name: z.string().refine((name) => isInside(name) && !name.includes('/'), 'a name without folders'),
      model: z.enum(['policy', 'completer', 'prm']),
    })
    .nullable(),
});

/** A phase that is done: its result and the files it left. */
export type Commit = Readonly<z.output<typeof commitSchema>>;

/** Whose weights a checkpoint holds; of each, a run goes on from the newest. `completer` samples the PRM's labels. */
export type CheckpointModel = NonNullable<Commit['checkpoint']>['model'];

export class Journal {
  readonly #handle: FileHandle;
  #commits: { readonly commit: Commit; readonly end: number }[] = [];
  #start: { readonly event: JournalEvent; readonly end: number } | undefined;
  #pending = '';
  #follower: ((event: JournalEvent) => void) | undefined;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /**
   * Opens or makes the file and reads it as `journalEvents` does.
   * @throws UserError as that, and where a commit names something outside the run folder, or is not a commit
   */
  static async open(path: string): Promise<Journal> {
    const journal = new Journal(await open(path, 'a+'));
    try {
      journal.#read(path, await readFile(path));
    } catch (error) {
      await journal.close();
      throw error;
    }
    return journal;
  }

  #read(path: string, text: Buffer): void {
    for (const { event, line, end } of journalEvents(path, text)) {
      if (event.event === 'start') this.#start = { event, end };
      else if (event.event === 'commit')
        this.#commits.push({ commit: checked(commitSchema, event, `${path}:${line}`), end });
    }
  }

  /** The event that opened the run; undefined in a new journal. */
  get start(): JournalEvent | undefined {
    return this.#start?.event;
  }

  /** Phases done, in order. */
  get commits(): readonly Commit[] {
    return this.#commits.map(({ commit }) => commit);
  }

  /** Keeps the first `commits` commits and cuts off every line after them. */
  async cut(commits: number): Promise<void> {
    this.#pending = '';
    this.#commits = this.#commits.slice(0, commits);
    await this.#handle.truncate(this.#commits.at(-1)?.end ?? this.#start?.end ?? 0);
    await this.#handle.sync();
  }

  /** Empties the file. */
  async clear(): Promise<void> {
    this.#start = undefined;
    await this.cut(0);
  }

  /** Tells `follower` of every event from now on, as it is added; it must not throw. */
  follow(follower: (event: JournalEvent) => void): void {
    this.#follower = follower;
  }

  /** Adds an event; it reaches the file with the next `flush` or `commit`. */
  append(event: JournalEvent): void {
    this.#pending += `${JSON.stringify(event)}\n`;
    this.#follower?.(event);
  }

  /** Writes the events added so far, for readers who follow the file; a crash may still lose them. */
  async flush(): Promise<void> {
    const text = this.#pending;
    this.#pending = '';
    if (text !== '') await this.#handle.appendFile(text);
  }

  /** Writes the opening event and flushes it to the disk. */
  async open(event: JournalEvent): Promise<void> {
    this.append(event);
    this.#start = { event, end: await this.#settle() };
  }

  /** Writes a commit line; once this returns, the phase is done for good. */
  async commit(commit: Commit): Promise<void> {
    this.append(commit as unknown as JournalEvent);
    this.#commits.push({ commit, end: await this.#settle() });
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #settle(): Promise<number> {
    await this.flush();
    await this.#handle.sync();
    return (await this.#handle.stat()).size;
  }
}

/**
 * The events of a journal, in order, each with its line and the offset at which that ends. A line that a crash cut off or
 * damaged ends them.
 * @throws UserError for a damaged line that no crash explains: a phase was done and flushed after it, so that going on from
 * there would delete finished work
 */
export function* journalEvents(
  path: string,
  text: Buffer,
): Generator<{ readonly event: JournalEvent; readonly line: number; readonly end: number }> {
  let offset = 0;
  let damaged = 0;
  let isDone = false;
  for (let line = 1; offset < text.length; line++) {
    const newline = text.indexOf(10, offset);
    const event = newline < 0 ? undefined : parseEvent(text.toString('utf8', offset, newline));
    if (isDone && event)
      throw new UserError(
        `${path}:${damaged}: event: damaged, wanted the line as the run wrote it (later phases are done; without the lines from there on they are repeated)`,
        'ERR_RUN',
      );
    offset = newline < 0 ? text.length : newline + 1;
    if (!event) damaged ||= line;
    else if (!damaged) yield { event, line, end: offset };
    // What a crash damages was never followed by an event: that is written once the commit before it is flushed.
    else isDone = event.event === 'commit';
  }
}

/**
 * The start of the journal at `path`: up to the last of the commits at its head whose phases are wanted; nothing where there is
 * none.
 * @throws UserError as `Journal.open`
 */
export async function journalHead(
  path: string,
  wanted: (phase: string) => boolean,
): Promise<{ readonly text: string; readonly commits: readonly Commit[] }> {
  const text = await readFile(path).catch(() => Buffer.alloc(0));
  const commits: Commit[] = [];
  let kept = 0;
  for (const { event, line, end } of journalEvents(path, text)) {
    if (event.event !== 'commit') continue;
    const commit = checked(commitSchema, event, `${path}:${line}`);
    if (!wanted(commit.phase)) break;
    commits.push(commit);
    kept = end;
  }
  return { text: text.toString('utf8', 0, kept), commits };
}

/** Whether the journal at `path` says that a phase is done; false where there is none. */
export async function hasCommitted(path: string, phase: string): Promise<boolean> {
  const { commits } = await journalHead(path, () => true);
  return commits.some((commit) => commit.phase === phase);
}

function parseEvent(line: string): JournalEvent | undefined {
  try {
    const value = JSON.parse(line) as unknown;
    const isEvent = typeof value === 'object' && value !== null && 'event' in value && typeof value.event === 'string';
    return isEvent ? (value as JournalEvent) : undefined;
  } catch {
    return undefined;
  }
}
