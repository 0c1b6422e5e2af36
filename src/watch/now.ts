// Where a run is at this moment: at work, stopped or finished, and what the process at work tells of itself.
import { sum } from '../core/lists.js';
import { titleOf } from '../evolve/phases.js';
import { count, decimal, duration, percent, plural } from '../page/format.js';
import { html, type Part } from '../page/html.js';
import { facts, note, type Section, section } from '../page/parts.js';
import { type Live, readLive } from '../run/live.js';
import { type Owner, ownersOf } from '../run/lock.js';
import type { RunData } from '../views/run/read.js';
import { iterationsOf } from '../views/run/runs.js';

export type State = 'waiting' | 'running' | 'elsewhere' | 'stopped' | 'finished';

/** What can change without the journal. */
export interface Moment {
  readonly state: State;
  readonly owner?: Owner;
  readonly live?: Live;
}

/** @param run undefined while its folder holds no run yet */
export async function momentOf(dir: string, run: RunData | undefined): Promise<Moment> {
  const owners = await ownersOf(dir);
  const owner = owners.find(({ lives }) => lives) ?? owners.find(({ lives }) => lives === undefined);
  if (owner) return { state: owner.lives ? 'running' : 'elsewhere', owner, live: await readLive(dir) };
  if (!run) return { state: 'waiting' };
  return { state: run.final ? 'finished' : 'stopped' };
}

const WORDS: Readonly<Record<State, string>> = {
  waiting: 'waiting for the run to begin',
  running: 'running',
  elsewhere: 'running elsewhere',
  stopped: 'stopped',
  finished: 'finished',
};

/** @param clock seconds since 1970 */
export function now(run: RunData | undefined, moment: Moment, clock: number = Date.now() / 1000): Section {
  const { state, owner, live } = moment;
  const short = live ? `${Math.floor(live.fraction * 100)} %` : state;
  const failed = new Set(run?.failures.map(({ problem }) => problem)).size;
  const at = run?.open[0] ?? run?.commits.at(-1)?.phase;
  return section(
    'now',
    'Now',
    html`<p class="state" data-state="${state}" data-short="${short}"><b>${WORDS[state]}</b>${owner && ` – process ${owner.pid} on ${owner.host}${owner.lives ? '' : ', as the lock in its folder says'}`}</p>`,
    state === 'stopped' &&
      note('No process works on it. The command that began it goes on from the last finished piece of work.'),
    live && progress(live, clock),
    run &&
      facts([
        ['at', run.final ? 'the end' : at ? titleOf(at) : 'the start'],
        ['phases finished', count(run.commits.length)],
        ['iterations finished', iterationsOf(run)],
        ['time so far', duration(sum(Object.values(run.seconds)))],
        ['problems not sampled', failed === 0 ? '0' : html`<a href="#run">${count(failed)}</a>`],
      ]),
  );
}

function progress(live: Live, clock: number): Part {
  const { title, done, total, fraction, secondsLeft, tokensPerSecond, residentBytes, ranks } = live;
  const age = Math.max(0, clock - live.at);
  const left = secondsLeft === null ? null : Math.max(0, secondsLeft - age);
  return [
    html`<progress max="100" value="${Math.floor(fraction * 100)}" aria-label="share of the whole job">${percent(fraction)}</progress>`,
    facts([
      ['of the whole job', percent(fraction)],
      ['time left, about', duration(left)],
      ['doing', title],
      ['done of this', `${count(done)} of ${count(total)}`],
      ['tokens a second', tokensPerSecond === null ? '–' : count(tokensPerSecond)],
      ['memory', `${decimal(residentBytes / 2 ** 30, 2)} GiB`],
    ]),
    // Work may go on for minutes without a word: the reader is told how old the numbers are.
    age > 60 && note(`Told ${duration(age)} ago.`),
    ranks.length > 0 &&
      html`<h3>${plural(ranks.length, 'rank')}</h3><ul>${ranks.map((line) => html`<li>${line}</li>`)}</ul>`,
  ];
}
