// What the run did: the settings that matter most, the counts, and every setting as it was resolved.

import { titleOf } from '../../../evolve/phases.js';
import { count, percent, plural } from '../../../page/format.js';
import { html, type Markup, type Part } from '../../../page/html.js';
import { facts, fold, type Section, section, table } from '../../../page/parts.js';
import type { RunData } from '../read.js';
import { iterationsOf } from '../runs.js';

export function about(run: RunData): Section {
  const value = (name: string): Part => {
    const found = run.setting(name);
    if (found === undefined || found === null) return null;
    return typeof found === 'number' ? (Number.isInteger(found) ? count(found) : String(found)) : textOf(found);
  };
  const entries: (readonly [string, Part])[] = [
    ['model', value('model.path')],
    [
      'data',
      run.setting('data.generate') === undefined
        ? value('data.file')
        : html`${value('data.generate.count')} generated problems`,
    ],
    ['seed', value('seed')],
    ['method', value('evolve.method')],
    ['iterations', iterationsOf(run)],
    ['optimizer steps', count(run.iterations.reduce((sum, { training }) => sum + training.steps, 0))],
    ['problems without answers', unlabelled(run)],
    ['problems per iteration', value('evolve.interval')],
    ['responses per problem', value('evolve.n')],
    ['selection', selection(run)],
    ['learning rate', value('evolve.optimizer.lr')],
    ['batch', value('evolve.optimizer.batchSize')],
    ['validation problems', count(run.dynamics[0]?.greedy.problems)],
    ['test problems', count(run.tests[0]?.greedy.problems)],
    ['settings', html`<code title="SHA-256 of config.yaml">${run.configDigest.slice(0, 16)}</code>`],
    [
      'problems',
      run.problemsDigest && html`<code title="digest of the problems">${run.problemsDigest.slice(0, 16)}</code>`,
    ],
  ];
  return section(
    ['run', 'Run'],
    'What the run did',
    facts(entries.filter(([, part]) => part !== null && part !== '')),
    fold('Every setting (config.yaml)', html`<pre tabindex="0">${run.configText}</pre>`),
    run.failures.length > 0 && failures(run),
  );
}

function unlabelled(run: RunData): string | null {
  const answers = textOf(run.setting('evolve.unlabelled.answers') ?? 'none');
  if (answers === 'none') return null;
  const taken = run.iterations.reduce((sum, one) => sum + (one.unlabelled ?? 0), 0);
  const how = answers === 'oracle' ? 'with their true answers' : 'by pseudo labels';
  return `${count(taken)} ${how}, after ${percent(Number(run.setting('evolve.unlabelled.after') ?? 0))} of the training`;
}

function selection(run: RunData): string {
  const rule = textOf(run.setting('evolve.select.rule'));
  if (rule === 'threshold') {
    const threshold = textOf(run.threshold?.chosen ?? run.setting('evolve.select.threshold'));
    return `right, reward at least ${threshold}${run.threshold ? ', searched for' : ''}`;
  }
  if (rule === 'all') return 'all right';
  const k = textOf(run.setting('evolve.select.k'));
  return rule === 'top' ? `right, ${k} of highest reward` : `right, ${k} at random`;
}

const MOST_FAILURES = 100;

/** Problems that could not be sampled, with the phases that tried. */
function failures({ failures: all }: RunData): Markup {
  const phases = new Map<string, Set<string>>();
  for (const { problem, phase, reason } of all) {
    const key = JSON.stringify([problem, reason]);
    phases.set(key, (phases.get(key) ?? new Set()).add(titleOf(phase)));
  }
  const rows = [...phases].slice(0, MOST_FAILURES).map(([key, names]): Part[] => {
    const [problem, reason] = JSON.parse(key) as [string, string];
    return [problem, reason, [...names].join(', ')];
  });
  const more =
    phases.size > MOST_FAILURES && html`<p>${count(phases.size - MOST_FAILURES)} more are in journal.jsonl.</p>`;
  const title = `${plural(phases.size, 'problem')} could not be sampled`;
  return fold(title, table(title, ['problem', 'reason', 'when'], rows), more);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
