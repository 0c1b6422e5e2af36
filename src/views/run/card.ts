// One problem with its responses as a card: picture, question, gold answer, true steps, and each response step by step.
import { groupBy, sum } from '../../core/lists.js';
import { count, decimal } from '../../page/format.js';
import { html, type Markup, type Part } from '../../page/html.js';
import { fold } from '../../page/parts.js';
import type { EmbeddedPicture } from '../../page/pictures.js';
import type { ResponseRow, StepRow } from '../../record/tables.js';

export interface ProblemCard {
  readonly problem: string;
  readonly why: string;
  /** Of this problem only, at least one. */
  readonly rows: readonly ResponseRow[];
  /** Who gave each of `rows`; they then stay in their order. */
  readonly by?: readonly string[];
  readonly pictures: readonly EmbeddedPicture[];
  readonly truth: readonly string[];
}

/** Responses with the same text. */
interface Group {
  readonly row: ResponseRow;
  readonly samples: readonly number[];
  readonly selected: boolean;
  /** Who gave it; one of several samples of one model where it is left out. */
  readonly by?: string;
}

export function problemCard({ problem, why, rows, by, pictures, truth }: ProblemCard): Markup {
  const [first] = rows as [ResponseRow];
  const groups = by
    ? rows.map((row, i): Group => ({ row, samples: [], selected: false, by: by[i] }))
    : groupResponses(rows);
  const shown = 6;
  const item = (group: Group): Markup => html`<li>${responseView(group)}</li>`;
  const rest = groups.slice(shown);
  const more = sum(rest.map(({ samples }) => samples.length));
  return html`<article class="problem">
<header><h4>${why}</h4><code>${problem}</code></header>
<div class="ask">${pictures.map((picture) => pictureView(picture, problem))}
<p class="question" dir="auto">${first.question}</p>
<p class="gold">Gold answer: <b dir="auto">${first.answer}</b></p>
${truth.length > 0 && html`<p class="gold">True steps:</p><ol class="truth">${truth.map((step) => html`<li dir="auto">${step}</li>`)}</ol>`}</div>
<div><ul class="responses">${groups.slice(0, shown).map(item)}</ul>
${rest.length > 0 && fold(`${count(more)} more`, html`<ul class="responses">${rest.map(item)}</ul>`)}</div>
</article>`;
}

/** Small drawings are enlarged without smoothing, so that their pixels can be counted. */
function pictureView({ uri, width, height }: EmbeddedPicture, problem: string): Markup {
  const grow = Math.max(1, Math.floor(240 / Math.max(width, height)));
  return html`<img class="${grow > 1 && 'pixels'}" src="${uri}" width="${width * grow}" height="${height * grow}" alt="picture of problem ${problem}">`;
}

/** Selected ones first, then right ones by reward, then the others as they came. */
function groupResponses(rows: readonly ResponseRow[]): Group[] {
  const alike = groupBy(rows, ({ verdict, finish, text }) => JSON.stringify([verdict, finish, text]));
  const groups = [...alike.values()].map((same) => ({
    row: same[0] as ResponseRow,
    samples: same.flatMap(({ sample }) => sample ?? []),
    selected: same.some(({ selected }) => selected),
  }));
  const rank = ({ row, selected }: Group): number => (selected ? 2 : row.verdict === 'correct' ? 1 : 0);
  const reward = ({ row }: Group): number => row.reward ?? Number.NEGATIVE_INFINITY;
  return groups.sort((a, b) => rank(b) - rank(a) || (reward(a) === reward(b) ? 0 : reward(b) - reward(a)));
}

const VERDICTS: Readonly<Record<string, readonly [name: string, text: string]>> = {
  correct: ['right', '✓ right'],
  wrong: ['wrong', '✗ wrong'],
  unreadable: ['unread', '? unreadable'],
  error: ['unread', '! not sampled'],
};

function responseView({ row, samples, selected, by }: Group): Markup {
  const [name, verdict] = VERDICTS[row.verdict] ?? ['unread', row.verdict];
  const shown = samples.map((sample) => `#${sample + 1}`).join(' ');
  const explained = row.verdict !== 'correct' && row.reason !== '';
  return html`<div class="response ${name}${selected && ' selected'}">
<p class="head">${by !== undefined && html`<span>${by}:</span> `}<b class="verdict">${verdict}</b>${selected && html` <span class="tag keep">★ selected</span>`}${row.lucky && html` <span class="tag lucky">lucky: a step is wrong</span>`}${row.finish === 'length' && html` <span class="tag">cut off</span>`}${row.reward !== null && html` <span>reward <b>${decimal(row.reward, 2)}</b></span>`} <span class="samples">${samples.length > 1 && `${samples.length} times: `}${shown}</span></p>
${stepsView(row)}${explained && html`<p class="reason">${row.reason}</p>`}</div>`;
}

function stepsView({ text, steps }: ResponseRow): Part {
  if (text === '') return null;
  const shown = text.slice(0, 4000);
  const cut =
    text.length > shown.length && html`<p class="reason">… ${count(text.length - shown.length)} more characters</p>`;
  const all: readonly StepRow[] = steps.length > 0 ? steps : [{ start: 0, end: text.length, score: null, right: null }];
  const lines = all.filter(({ start }) => start < shown.length);
  return html`<ol class="steps">${lines.map((step) => html`<li>${scoreView(step.score)}${markView(step.right)}<span class="text" dir="auto">${shown.slice(step.start, step.end).trimEnd()}</span></li>`)}</ol>${cut}`;
}

/** The number is the information; colour and filled length repeat it. */
function scoreView(score: number | null): Part {
  if (score === null) return null;
  const clamped = Math.min(1, Math.max(0, score));
  return html`<span class="score q${Math.round(clamped * 10)}" style="--fill:${Math.round(clamped * 100)}%"><span class="hidden">score </span>${decimal(score, 2)}</span>`;
}

function markView(right: boolean | null): Part {
  if (right === null) return null;
  return right
    ? html`<span class="mark yes" title="right step">✓<span class="hidden"> right step:</span></span>`
    : html`<span class="mark no" title="wrong step">✗<span class="hidden"> wrong step:</span></span>`;
}
