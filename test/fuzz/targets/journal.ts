// Journals of runs: commits that were written are read again; whatever was done to the file, what is read is well-formed, and
// nothing outside the folder of the run is touched when it is continued or taken from.
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { adopt } from '../../../src/run/adopt.js';
import { Run } from '../../../src/run/folder.js';
import { type Commit, Journal, journalHead } from '../../../src/run/journal.js';
import { byteEdits, editBytes, editJson, edits, text, word } from '../inputs.js';
import { accepted, hold, holdEqual, target } from '../target.js';

const commit: fc.Arbitrary<Commit> = fc.record({
  event: fc.constant('commit' as const),
  phase: fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom('warmup', 'label', 'train-prm', 'iter-0001', 'iter-0002', 'test-final') },
    word,
  ),
  result: fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Commit['result']>,
  tokens: fc.record({ sampled: fc.nat(9), scored: fc.nat(9), trained: fc.nat(9) }),
  outputs: fc.constant({}),
  checkpoint: fc.oneof(
    fc.constant(null),
    fc.record({
      name: fc.constantFrom('iter-0001', 'iter-0002', 'warmup', 'prm'),
      model: fc.constantFrom('policy' as const, 'prm' as const, 'completer' as const),
    }),
  ),
});
/** Paths and names that a file of another's making may give. */
const path = fc.oneof(
  fc.constantFrom(
    'labels.jsonl',
    '../outside',
    '../outside/kept',
    'rollouts/../../outside',
    '/etc/passwd',
    '.',
    '',
    'iter-/../../../outside',
    'config.yaml',
    'journal.jsonl',
  ),
  text,
);
const size = fc.oneof(fc.constantFrom<unknown>(0, 4, -1, null, '4', {}), fc.record({ bytes: fc.nat(4), sha256: text }));
const foreign = fc.record({
  event: fc.constant('commit'),
  phase: fc.oneof(fc.constantFrom('warmup', 'iter-0001'), path),
  result: fc.constant(null),
  tokens: fc.constant({ sampled: 0, scored: 0, trained: 0 }),
  outputs: fc.dictionary(path, size, { maxKeys: 2 }),
  checkpoint: fc.option(
    fc.record({
      name: fc.oneof(
        path,
        path.map((found) => `iter-${found}`),
      ),
      model: fc.constantFrom('policy', 'prm', 'x'),
    }),
    { nil: null },
  ),
});
const other = fc.oneof(
  fc.record({ event: fc.constant('start'), problems: fc.nat(9), digest: word }),
  fc.record({ event: fc.constant('step'), phase: word, loss: fc.double({ noNaN: true }) }),
);
const bytes = fc
  .tuple(fc.array(fc.tuple(fc.oneof(commit, commit, foreign, other), edits), { maxLength: 4 }), byteEdits(2))
  .map(([lines, changes]) =>
    editBytes(Buffer.from(lines.map(([event, found]) => `${editJson(event, found)}\n`).join('')), changes),
  );

interface Input {
  readonly bytes?: Uint8Array;
  readonly commits?: readonly Commit[];
}

export const journal = target<Input>({
  name: 'journal',
  cases: 400,
  input: fc.oneof(
    { weight: 7, arbitrary: fc.record({ bytes }) },
    fc.record({ commits: fc.array(commit, { maxLength: 4 }) }),
  ),
  async check({ bytes, commits }, folder) {
    const dir = join(folder, 'run');
    const file = join(dir, 'journal.jsonl');
    mkdirSync(join(folder, 'outside'));
    writeFileSync(join(folder, 'outside/kept'), 'kept');
    mkdirSync(dir);
    writeFileSync(join(dir, 'config.yaml'), 'seed: 1\n');
    writeFileSync(join(dir, 'labels.jsonl'), 'text');
    mkdirSync(join(dir, 'work'));
    if (commits) await written(file, commits);
    else writeFileSync(file, bytes as Uint8Array);
    const opened = await accepted(file, async () => {
      const journal = await Journal.open(file);
      await journal.close();
      return journal;
    });
    if (commits) holdEqual(opened?.commits, commits, 'commits that were written are read');
    for (const found of opened?.commits ?? []) checkCommit(found);
    const head = await accepted(file, () => journalHead(file, () => true));
    for (const found of head?.commits ?? []) checkCommit(found);
    const settings = { seed: 1 };
    await accepted(folder, () => adopt(join(folder, 'new'), { from: dir, settings, takes: () => true }));
    await accepted(folder, async () => {
      const run = await Run.open({ dir, settings, keepCheckpoints: 1 });
      run.plan([]);
      await run.close();
    });
    holdEqual(
      readdirSync(folder)
        .filter((name) => name !== 'new')
        .sort(),
      ['outside', 'run'],
      'nothing is written beside the run',
    );
    holdEqual(readdirSync(join(folder, 'outside')), ['kept'], 'nothing is written or removed outside');
    hold(!existsSync(join(folder, 'new/kept')), 'nothing is taken from outside');
  },
});

async function written(file: string, commits: readonly Commit[]): Promise<void> {
  const journal = await Journal.open(file);
  for (const found of commits) await journal.commit(found);
  await journal.close();
}

/** What everything that works with commits takes for granted. */
function checkCommit({ phase, tokens, outputs, checkpoint }: Commit): void {
  const counts = [tokens?.sampled, tokens?.scored, tokens?.trained];
  hold(typeof phase === 'string', 'a phase has a name', phase);
  hold(
    counts.every((count) => Number.isSafeInteger(count) && (count as number) >= 0),
    'tokens are counts',
    tokens,
  );
  hold(
    typeof outputs === 'object' && outputs !== null && !Array.isArray(outputs),
    'outputs are sizes by path',
    outputs,
  );
  for (const path of Object.keys(outputs)) hold(isInside(path), 'an output lies inside', path);
  if (checkpoint === null) return;
  hold(typeof checkpoint === 'object' && typeof checkpoint.name === 'string', 'a checkpoint has a name', checkpoint);
  hold(!checkpoint.name.includes('/') && isInside(checkpoint.name), 'a checkpoint lies inside', checkpoint.name);
  hold(['policy', 'completer', 'prm'].includes(checkpoint.model), 'a checkpoint is of a known model', checkpoint);
}

function isInside(path: string): boolean {
  return (
    path !== '' && !path.includes('\0') && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  );
}
