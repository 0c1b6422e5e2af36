// Names of phases and checkpoints as a reader knows them.
// Leaves the names inside files to src/evolve.

const FIXED: Readonly<Record<string, string>> = {
  base: 'base model',
  warmup: 'warm-up',
  converge: 'completer',
  label: 'PRM data',
  'train-prm': 'PRM training',
  'search-alpha': 'search for a threshold',
  'test-final': 'final test',
};

/** `iter-0003` -> `iteration 3`, `test-base` -> `test of base model`. */
export function nameOf(name: string): string {
  const known = FIXED[name];
  if (known) return known;
  const test = /^test-(.+)$/.exec(name)?.[1];
  if (test) return `test of ${nameOf(test)}`;
  const away = /^away-(.+)$/.exec(name)?.[1];
  if (away) return `out-of-domain test of ${nameOf(away)}`;
  const [, kind, number] = /^(iter|dynamics)-(\d+)$/.exec(name) ?? [];
  if (kind === undefined) return name;
  return kind === 'iter' ? `iteration ${Number(number)}` : `dynamics ${Number(number)}`;
}

/** Name for the axis of a chart: `base`, `warm-up`, `1`, `2`... */
export function shortName(checkpoint: string): string {
  const iteration = /^iter-(\d+)$/.exec(checkpoint)?.[1];
  if (iteration) return String(Number(iteration));
  return checkpoint === 'base' ? 'base' : nameOf(checkpoint);
}

/** Places of dynamics on an axis: the start is what the first iteration begins with. */
export function iterationName(iteration: number): string {
  return iteration === 0 ? 'start' : String(iteration);
}
