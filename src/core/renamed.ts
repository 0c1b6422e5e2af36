// Settings that earlier versions called otherwise: who uses such a name is told the new one, and the folder of a run that
// was begun with them is refused, as its journal has other names, too.
import { UserError } from './errors.js';
import { valueAt } from './json.js';

const RENAMED: ReadonlyMap<string, string> = new Map([
  ['warmup.questions', 'warmup.problems'],
  ['warmup.maxPerQuestion', 'warmup.maxPerProblem'],
  ['prm.questions', 'prm.problems'],
  ['prm.maxPerQuestion', 'prm.maxPerProblem'],
  ['prm.convergeEpochs', 'prm.completerEpochs'],
  ['evolve.select.alpha', 'evolve.select.threshold'],
  ['evolve.select.alphas', 'evolve.select.thresholds'],
]);

/** What a setting (dotted name) of earlier versions is called now; undefined where there was none of that name. */
export function newNameOf(setting: string): string | undefined {
  return RENAMED.get(setting);
}

/** Throws UserError where the settings that a run folder holds are those of an earlier version. */
export function refuseEarlierRun(dir: string, settings: unknown): void {
  const old = [...RENAMED].find(([before]) => valueAt(settings, before.split('.')) !== undefined);
  if (!old) return;
  const [before, now] = old;
  throw new UserError(
    `${dir}: run: made by an earlier version of mstar, where ${now} was ${before}, wanted one of this version (choose another folder, or go on with the version that made it)`,
    'ERR_SETTING',
  );
}
