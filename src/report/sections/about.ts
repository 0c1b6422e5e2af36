// What the run did: the settings that matter most, the counts, and every setting as it was resolved.
// Leaves results to the other sections.
import { count } from '../format.js';
import { html, type Markup, type Part } from '../html.js';
import { facts, fold, section, table } from '../parts.js';
import type { RunData } from '../read.js';

export function about(run: RunData): Markup {
  const value = (name: string): Part => {
    const found = run.setting(name);
    if (found === undefined || found === null) return null;
    return typeof found === 'number' ? (Number.isInteger(found) ? count(found) : String(found)) : textOf(found);
  };
  const entries: (readonly [string, Part])[] = [
    ['model', value('model.path')],
    ['data', run.setting('data.generate') === undefined ? value('data.file') : html`${value('data.generate.count')} generated problems`],
    ['seed', value('seed')],
    ['method', value('evolve.method')],
    ['iterations', html`${count(run.iterations.length)} of ${value('evolve.iterations')}`],
    ['questions per iteration', value('evolve.interval')],
    ['responses per question', value('evolve.n')],
    ['selection', selection(run)],
    ['learning rate', value('evolve.optimizer.lr')],
    ['batch', value('evolve.optimizer.batchSize')],
    ['validation problems', count(run.dynamics[0]?.greedy.problems)],
    ['test problems', count(run.tests[0]?.greedy.problems)],
    ['settings', html`<code title="SHA-256 of config.yaml">${run.configDigest.slice(0, 16)}</code>`],
    ['problems', run.problemsDigest && html`<code title="digest of the problems">${run.problemsDigest.slice(0, 16)}</code>`],
  ];
  return section(
    'run',
    'What the run did',
    facts(entries.filter(([, part]) => part !== null && part !== '')),
    fold('Every setting (config.yaml)', html`<pre>${run.configText}</pre>`),
    run.failures.length > 0 && failures(run),
  );
}

function selection(run: RunData): string {
  const rule = textOf(run.setting('evolve.select.rule'));
  if (rule === 'threshold') return `right, reward at least ${textOf(run.setting('evolve.select.alpha'))}`;
  if (rule === 'all') return 'all right';
  const k = textOf(run.setting('evolve.select.k'));
  return rule === 'top' ? `right, ${k} of highest reward` : `right, ${k} at random`;
}

const MOST_FAILURES = 100;

function failures({ failures: all }: RunData): Markup {
  const rows = all.slice(0, MOST_FAILURES).map(({ problem, phase, reason }): Part[] => [problem, phase, reason]);
  const more = all.length > MOST_FAILURES && html`<p>${count(all.length - MOST_FAILURES)} more are in journal.jsonl.</p>`;
  const title = `${count(all.length)} times a problem could not be sampled`;
  return fold(title, table(title, ['problem', 'phase', 'reason'], rows), more);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value) ?? '';
}
