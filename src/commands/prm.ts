// `mstar prm RUN`: what the process reward model of a run is worth, from its folder alone.

import { join } from 'node:path';
import { UNBIASED } from '../evaluate/tabulate.js';
import { RelevanceJudge } from '../judge/relevance.js';
import { decimal, percent } from '../page/format.js';
import { checkOutput, checkOutputFolder } from '../run/output.js';
import { PRM_GATE, type PrmAnalysis } from '../views/prm/analysis.js';
import { describeSpent, judgeFlags, judgeOptions } from './judge-flags.js';
import { printResult, requireInteger, verb } from './result.js';

/** Rules whose share of luck is printed. */
const SHOWN = ['all', 'random 2', 'top 2'];

export default verb({
  command: 'prm <run>',
  describe: 'what the process reward model of a run is worth: choosing, ranking, calibration, luck; without a model',
  builder: (yargs) =>
    judgeFlags(
      yargs
        .positional('run', { type: 'string', demandOption: true, describe: 'run folder, finished or not' })
        .option('out', { type: 'string', describe: 'folder for the results; the run folder when left out' })
        .option('table', {
          type: 'string',
          defaultDescription: 'dynamics-0000',
          describe: 'table of rollouts with scored samples, for example dynamics-0004 or test-final',
        })
        .option('temperature', {
          type: 'number',
          describe: 'of the samples to look at; the one nearest to evolve.temperature when left out',
        })
        .option('iteration', {
          type: 'number',
          defaultDescription: '1',
          describe: 'whose responses the selection rules are applied to',
        })
        .option('seed', { type: 'number', defaultDescription: '1', describe: 'seeds the bootstrap' }),
      'rates the relevance of correct responses to their question',
    )
      .example('mstar prm runs/demo', 'writes prm.json, prm.md, prm.html and figures into runs/demo')
      .example('mstar prm runs/demo --table dynamics-0004 --out runs/demo/later', 'the same PRM on a later policy')
      .example('mstar prm runs/demo --judge gpt-4o-mini', 'rates relevance as well'),
  async handler({ run, out = run, table, temperature, iteration, seed, ...flags }) {
    requireInteger('--iteration', iteration, 1);
    requireInteger('--seed', seed, 0);
    await checkOutputFolder({ flag: '--out', path: out });
    for (const ending of ['json', 'md', 'html'])
      await checkOutput({ flag: '--out', path: join(out, `prm.${ending}`), ofRun: true });
    const judge = judgeOptions(flags);
    const relevance = judge && new RelevanceJudge(judge);
    const { writePrmAnalysis } = await import('../views/prm/analyse.js');
    const analysis = await writePrmAnalysis(run, out, {
      table,
      temperature,
      iteration,
      seed,
      ...(relevance && { relevance }),
    });
    const lines = linesOf(analysis);
    if (relevance) {
      const { asked, unreadable } = relevance.counts;
      const read = `rated ${asked - unreadable} of ${asked} distinct responses`;
      lines.push(`judge ${relevance.model}: ${read}; ${describeSpent(relevance.counts)}`);
    }
    lines.push(`files: ${['json', 'md', 'html'].map((ending) => join(out, `prm.${ending}`)).join(', ')}`);
    printResult(flags, analysis, lines);
  },
});

function linesOf({ choosing, ranking, calibration, truth, selection, missing }: PrmAnalysis): string[] {
  const lines: string[] = [];
  if (choosing) {
    const last = choosing.curves
      .filter(({ name }) => name !== UNBIASED)
      .map(({ name, points }) => `${name} ${percent(points.at(-1)?.mean)}`);
    lines.push(
      `${choosing.name}, ${choosing.problems} problems, N = ${choosing.n}: one response ${percent(choosing.scores[0]?.accuracy.mean)}${last.map((text) => `, ${text}`).join('')}`,
    );
  }
  if (ranking)
    lines.push(
      `ranking: ${percent(ranking.pairAccuracy?.mean)} of ${ranking.pairs} pairs, AUC ${decimal(ranking.aucWithin?.mean, 3)} within a problem, ${decimal(ranking.auc?.mean, 3)} over all`,
    );
  if (ranking?.soundAuc)
    lines.push(
      `gate: AUC ${decimal(ranking.soundWithin?.mean, 3)} of right chains against wrong answers to the same problem (${PRM_GATE.soundWithin} wanted), ${decimal(ranking.soundAuc.mean, 3)} of right chains against lucky ones (${PRM_GATE.soundAuc} wanted): ${ranking.isGood ? 'passed' : 'not passed'}`,
    );
  if (calibration)
    lines.push(
      `held out: ${calibration.steps} steps, squared error ${decimal(calibration.mse.mean, 3)} (mean label alone ${decimal(calibration.baselineMse?.mean, 3)}), correlation ${decimal(calibration.correlation?.mean, 3)}`,
    );
  for (const { what, on, auc, accuracy } of truth?.rows ?? [])
    lines.push(`truth: ${what} of ${on}: AUC ${decimal(auc?.mean, 3)}, accuracy ${percent(accuracy.mean)}`);
  const rules = selection?.rules.filter(({ rule, lucky }) => SHOWN.includes(rule) && lucky) ?? [];
  if (selection && rules.length > 0) {
    const shares = rules.map(({ rule, lucky, selected }) => `${rule} ${percent(lucky?.mean)} of ${selected}`);
    lines.push(`lucky on ${selection.table}: ${shares.join(', ')}`);
  }
  return [...lines, ...missing.map((line) => `not here: ${line}`)];
}
