// Tells pages when what they show has changed: one watcher for each view, however many pages are open, and none while there is none.
import { type FSWatcher, watch } from 'node:fs';
import { UserError } from '../core/errors.js';
import { sectionBlock } from '../page/document.js';
import { note, type Section, section } from '../page/parts.js';
import type { View } from './views.js';

/** A section as a page shows it. */
export interface Block {
  readonly id: string;
  /** In the navigation. */
  readonly name: string;
  /** The whole element. */
  readonly html: string;
}

/** Milliseconds: after a change until it is looked at, as files change in bursts, and between looks without any notice. */
const [SETTLE, POLL] = [300, 2000];

export class Feed {
  readonly #view: View;
  #pages = 0;
  #watchers: FSWatcher[] = [];
  #poll: NodeJS.Timeout | undefined;
  #settle: NodeJS.Timeout | undefined;
  #waiting: (() => void)[] = [];
  #last: readonly Block[] = [];

  constructor(view: View) {
    this.#view = view;
  }

  /** What to show now. Where a folder cannot be read a section says why, before what was shown last. */
  async blocks(): Promise<readonly Block[]> {
    try {
      this.#last = (await this.#view.sections()).map(blockOf);
      return this.#last;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const why = blockOf(section('now', 'Now', note(error.message)));
      return [why, ...this.#last.filter(({ id }) => id !== why.id)];
    }
  }

  /** Begins to watch for a page. The function that is returned ends it. */
  open(): () => void {
    if (this.#pages++ === 0) this.#start();
    return () => {
      if (--this.#pages === 0) this.#stop();
    };
  }

  /** Settles when something may have changed, at the latest after some seconds. Only while it is open. */
  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #start(): void {
    // Files on a network tell nothing when another machine writes them, and a folder may not be there yet.
    this.#poll = setInterval(() => this.#wake(), POLL).unref();
    for (const folder of this.#view.folders) {
      try {
        const watcher = watch(folder, { persistent: false }, () => {
          this.#settle ??= setTimeout(() => this.#wake(), SETTLE).unref();
        });
        watcher.on('error', () => watcher.close());
        this.#watchers.push(watcher);
      } catch {
        // Polled only.
      }
    }
  }

  #stop(): void {
    clearInterval(this.#poll);
    for (const watcher of this.#watchers.splice(0)) watcher.close();
    this.#wake();
  }

  #wake(): void {
    clearTimeout(this.#settle);
    this.#settle = undefined;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

function blockOf(one: Section): Block {
  return { id: one.id, name: one.name, html: sectionBlock(one).text };
}
