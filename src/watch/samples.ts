// Responses of a run to look through: a table of rollouts page by page, asked in SQL, so that no table is ever held whole.
import { UserError } from '../core/errors.js';
import { isIteration, titleOf } from '../evolve/phases.js';
import { count, plural } from '../page/format.js';
import { html, type Markup, type Part } from '../page/html.js';
import { note, type Section, section } from '../page/parts.js';
import { type Tables, WANTED_NAMES, type Wanted } from '../record/tables.js';
import { listNames } from '../run/durable.js';
import { problemCards } from '../views/run/problems.js';
import { tableOf } from '../views/run/read.js';

/** What a reader asks for; the newest iteration, all responses, all kinds and the first page where it is left out. */
export interface Asked {
  readonly phase?: string | undefined;
  readonly show?: string | undefined;
  readonly kind?: string | undefined;
  readonly page?: string | undefined;
}

const PROBLEMS_PER_PAGE = 8;

const SHOW: Readonly<Record<Wanted, string>> = {
  all: 'all responses',
  selected: 'selected for training',
  lucky: 'lucky: right by a wrong chain',
  correct: 'right',
  wrong: 'wrong',
  unreadable: 'unreadable',
  'cut-off': 'cut off by the limit',
  failed: 'problems not sampled',
};

export const samplesSection = (...content: Part[]): Section => section('samples', 'Samples', ...content);
export const NO_SAMPLES = note('No phase has left its responses yet.');

/** Phases of the folder that have a table, the newest iteration first. */
export async function tabled(dir: string): Promise<string[]> {
  const names = await listNames(`${dir}/rollouts`).catch(() => []);
  const phases = names.filter((name) => name.endsWith('.parquet')).map((name) => name.slice(0, -'.parquet'.length));
  const [iterations, others] = [phases.filter(isIteration), phases.filter((name) => !isIteration(name))];
  return [...iterations.reverse(), ...others];
}

/** @throws UserError where what is asked for is not there */
export async function samples(dir: string, tables: Tables, asked: Asked): Promise<Section> {
  const phases = await tabled(dir);
  const phase = asked.phase ?? phases[0];
  if (phase === undefined) return samplesSection(NO_SAMPLES);
  if (!phases.includes(phase)) throw refused('phase', phase, 'one of the run that has responses');
  const wanted = WANTED_NAMES.find((name) => name === (asked.show ?? 'all'));
  if (!wanted) throw refused('show', asked.show ?? '', WANTED_NAMES.join(', '));
  const file = tableOf(dir, phase);
  if (!file) throw refused('phase', phase, 'one whose responses are still there');
  const kinds = await tables.kinds(file);
  const kind = asked.kind || undefined;
  if (kind !== undefined && !kinds.some((one) => one.kind === kind)) throw refused('kind', kind, 'one of the phase');
  const page = Number(asked.page ?? 1);
  if (!Number.isInteger(page) || page < 1 || page > 1e6) throw refused('page', asked.page ?? '', 'a number from 1');
  const from = (page - 1) * PROBLEMS_PER_PAGE;
  const { total, problems } = await tables.problemPage(file, { wanted, kind }, from, PROBLEMS_PER_PAGE);
  const rows = await tables.responses(
    file,
    problems.map(({ problem }) => problem),
    wanted,
  );
  const picks = problems.map(({ problem, responses, correct }) => ({
    problem,
    why: responses === 0 ? 'not sampled' : `${count(correct)} of ${plural(responses, 'response')} right`,
  }));
  const shown = html`${await problemCards({ dir }, picks, rows, new Map())}`;
  const pages = Math.max(1, Math.ceil(total / PROBLEMS_PER_PAGE));
  const about =
    total === 0
      ? 'No problem has such a response.'
      : `${plural(total, 'problem')}; page ${count(page)} of ${count(pages)}.`;
  return samplesSection(
    form({ phase, phases, wanted, kinds, kind }),
    html`<h3 id="samples-page" tabindex="-1">${titleOf(phase)}, ${SHOW[wanted]}${kind !== undefined && `, ${kind}`}</h3>`,
    note(about),
    shown,
    pager({ phase, show: wanted, kind }, page, pages),
  );
}

function refused(name: string, found: string, wanted: string): UserError {
  return new UserError(`${name}: ${JSON.stringify(found)}, wanted ${wanted}`, 'ERR_SETTING');
}

interface Choices {
  readonly phase: string;
  readonly phases: readonly string[];
  readonly wanted: Wanted;
  readonly kinds: readonly { readonly kind: string; readonly problems: number }[];
  readonly kind: string | undefined;
}

function form({ phase, phases, wanted, kinds, kind }: Choices): Markup {
  const option = (value: string, chosen: boolean, text: Part): Markup =>
    html`<option value="${value}"${chosen && html` selected`}>${text}</option>`;
  const named = kinds.filter((one) => one.kind !== '');
  return html`<form class="filters" action="#samples">
<label>phase <select name="phase">${phases.map((name) => option(name, name === phase, titleOf(name)))}</select></label>
<label>responses <select name="show">${WANTED_NAMES.map((name) => option(name, name === wanted, SHOW[name]))}</select></label>
<label>kind of problem <select name="kind">${option('', kind === undefined, 'all kinds')}${named.map((one) => option(one.kind, one.kind === kind, `${one.kind} (${count(one.problems)})`))}</select></label>
<button>Show</button></form>`;
}

function pager(asked: Asked, page: number, pages: number): Part {
  if (pages <= 1) return null;
  const link = (to: number, rel: string, text: string): Part => {
    if (to < 1 || to > pages) return html`<span class="even">${text}</span>`;
    const { phase = '', show = '', kind = '' } = asked;
    const query = new URLSearchParams({ phase, show, kind, page: String(to) });
    return html`<a rel="${rel}" href="?${query.toString()}#samples">${text}</a>`;
  };
  return html`<nav class="pager" aria-label="Pages of samples">${link(1, 'first', 'first')}${link(page - 1, 'prev', '← earlier')}<span>${count(page)} / ${count(pages)}</span>${link(page + 1, 'next', 'later →')}${link(pages, 'last', 'last')}</nav>`;
}
