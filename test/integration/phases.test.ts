// Every recipe commits the phases that its plan names, in that order: progress and ETA end with the work.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { listPresets } from '../../src/config/presets.js';
import type { ConfigInput } from '../../src/config/schema.js';
import { kindOf, phases, titleOf } from '../../src/evolve/phases.js';
import { evolve } from '../../src/jobs/jobs.js';
import type { PlannedWork } from '../../src/run/progress.js';
import { Progress } from '../../src/run/progress.js';
import { fakeHost } from '../fakes/host.js';
import { smallRecipe } from './recipe.js';

const presets = await listPresets();
let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'mstar-phases-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** The sizes of the small recipe with the choices of another one. */
function small(name: string, config: ConfigInput): ConfigInput {
  const base = smallRecipe(root, name);
  const { evolve: own = {}, prm = {}, warmup = {}, explore = {} } = config;
  const { method, evenly, select, unlabelled } = own;
  const limits = evenly ? { steps: 6, iterations: 2 } : { steps: 6, iterations: 3 };
  const outOfDomain = config.data?.outOfDomain && { generate: { count: 8, families: ['dials'] } };
  return {
    ...base,
    data: { generate: { count: 160, families: ['bars', 'dots', 'shapes'] }, ...(outOfDomain && { outOfDomain }) },
    warmup: { ...base.warmup, enabled: warmup.enabled },
    prm: { ...base.prm, completerEpochs: prm.completerEpochs ? 1 : 0, heldOut: prm.heldOut },
    evolve: {
      ...base.evolve,
      ...limits,
      method,
      evenly,
      select: { ...select, k: Math.min(2, select?.k ?? 2) },
      unlabelled,
    },
    explore: { ...base.explore, adaptive: explore.adaptive, every: 1 },
  };
}

/** Names of the phases that were planned at first and at the end, and that were committed. */
async function namesOf(name: string, config: ConfigInput) {
  const plans: PlannedWork[][] = [];
  const { plan } = Progress.prototype;
  Progress.prototype.plan = function (work) {
    plans.push([...work]);
    plan.call(this, work);
  };
  try {
    await evolve(small(name, config), { host: fakeHost() });
  } finally {
    Progress.prototype.plan = plan;
  }
  const lines = readFileSync(join(root, name, 'journal.jsonl'), 'utf8')
    .trim()
    .split('\n');
  const events = lines.map((line) => JSON.parse(line) as { readonly event: string; readonly phase: string });
  const planned = (work: PlannedWork[] = []): string[] => [...new Set(work.map(({ phase }) => phase))];
  return {
    first: planned(plans[0]),
    last: planned(plans.at(-1)),
    committed: events.filter(({ event }) => event === 'commit').map(({ phase }) => phase),
  };
}

describe('the phases that are planned are those that are committed', () => {
  test('for a recipe with every optional part', async () => {
    const config: ConfigInput = {
      run: { dir: '' },
      model: { path: '' },
      data: { outOfDomain: { generate: { count: 8 } } },
      prm: { completerEpochs: 1, heldOut: 0.2 },
      evolve: {
        select: { rule: 'threshold', threshold: 'search', thresholds: [0.2, 0.4] },
        unlabelled: { answers: 'pseudo', after: 0.5 },
      },
      explore: { adaptive: true },
    };
    const { first, last, committed } = await namesOf('everything', config);
    expect(last).toEqual(committed);
    // How many iterations there are depends on what they keep; the kinds of phases are known before.
    const kinds = (names: readonly string[]): unknown[] => [...new Set(names.map((name) => kindOf(name)?.kind))];
    expect(kinds(first)).toEqual(kinds(committed));
    expect(kinds(committed)).toHaveLength(Object.keys(phases).length);
  });

  test.each(presets)('for the preset %s', async (preset) => {
    const given = preset.startsWith('paper') ? ['model.path=m', 'data.file=d.json'] : [];
    const { last, committed } = await namesOf(preset, await loadConfig({ preset, set: given }));
    expect(last).toEqual(committed);
    expect(committed.at(-1)).toBe('test-final');
  });
});

test('every phase has a title that a reader understands', () => {
  expect(['iter-0003', 'test-base', 'test-iter-0002', 'dynamics-0000', 'test-final'].map(titleOf)).toEqual([
    'iteration 3',
    'test of base model',
    'test of iteration 2',
    'dynamics 0',
    'final test',
  ]);
});

test('the documentation of run folders lists every phase with the fields of its result', () => {
  const text = readFileSync(new URL('../../docs/run-folder.md', import.meta.url), 'utf8');
  const rows = Object.values(phases).map(({ name, result }) => {
    const fields = Object.keys((result as unknown as { readonly shape: object }).shape).map((field) => `\`${field}\``);
    return `| \`${name}\` | ${fields.join(', ')} |`;
  });
  expect(text).toContain(`| phase | result |\n|---|---|\n${rows.join('\n')}\n`);
});
