// The parts of an analysis in their order: a heading, what to know of it in sentences, its tables, its figures.
// Leaves the tables to rows.ts, and Markdown and HTML to markdown.ts and page.ts.
import { count, percent, plural } from '../report/format.js';
import type { Choosing, PrmAnalysis } from './analysis.js';
import type { FIGURES } from './figures.js';
import {
  calibrationTable,
  labelBinTable,
  ranged,
  rankingTable,
  scoreBinTable,
  selectionTable,
  type TextTable,
  topsTable,
  truthTable,
} from './rows.js';

export interface TextSection {
  readonly id: string;
  readonly title: string;
  /** Name in the navigation. */
  readonly short: string;
  readonly notes: readonly string[];
  readonly figures: readonly (typeof FIGURES)[number][];
  readonly tables: readonly TextTable[];
  /** Tables that a page hides behind a line to click. */
  readonly folded?: readonly TextTable[];
  /** Curves and differences, which have tables of their own. */
  readonly choosing?: Choosing;
}

export function sectionsOf(analysis: PrmAnalysis): TextSection[] {
  const { choosing, ranking, tops, calibration, truth, selection, table } = analysis;
  const sections: TextSection[] = [];
  if (choosing) {
    const { questions, n, temperature, failed, scores } = choosing;
    const lost = failed > 0 ? `, of which ${count(failed)} could not be sampled` : '';
    sections.push({
      id: 'choosing',
      title: 'Choosing among samples',
      short: 'Choosing',
      notes: [
        `${plural(questions, 'question')} of ${table}${lost}, ${plural(n, 'response')} each at temperature ${temperature}.`,
        `Pass@1, the accuracy of one response: ${ranged(scores[0]?.accuracy ?? null, percent)}.`,
      ],
      figures: ['prm-curves'],
      tables: [],
      choosing,
    });
  }
  if (ranking) {
    sections.push({
      id: 'ranking',
      title: 'Rewards of correct and other responses',
      short: 'Ranking',
      notes: [
        `${count(ranking.correct)} correct responses and ${count(ranking.other)} others (wrong or unreadable), in ${count(ranking.pairs)} pairs of the same question.`,
        'AUC: chance that a correct response has a higher reward than another one, ties counted half.',
      ],
      figures: ['prm-rewards'],
      tables: [rankingTable(ranking)],
    });
  }
  if (tops) {
    const { relevance } = tops;
    sections.push({
      id: 'tops',
      title: 'Top 2 by reward against the rest of the correct',
      short: 'Top 2',
      notes: [
        `${plural(tops.questions, 'question')} with more than two distinct correct responses: ${count(tops.top)} on top, ${count(tops.rest)} others. Every question counts once, and the difference is taken question by question.`,
        ...(relevance
          ? [
              `Relevance: ${relevance.model} rated ${count(relevance.asked)} responses; ${plural(relevance.unreadable, 'rating')} could not be read.`,
            ]
          : []),
      ],
      figures: [],
      tables: [topsTable(tops)],
    });
  }
  if (calibration) {
    sections.push({
      id: 'calibration',
      title: 'Scores against labels that the PRM has not seen',
      short: 'Calibration',
      notes: [
        `${plural(calibration.steps, 'step')} of ${plural(calibration.responses, 'response')} to ${plural(calibration.questions, 'question')} that were kept out of the training of the PRM.`,
      ],
      figures: ['prm-calibration', 'prm-labels'],
      tables: [calibrationTable(calibration)],
      folded: [scoreBinTable(calibration), labelBinTable(calibration)],
    });
  }
  if (truth) {
    const { difference } = truth;
    sections.push({
      id: 'truth',
      title: 'Against the true reasoning',
      short: 'Truth',
      notes: [
        'A step counts as right if it and all steps before it are right. The label of a last step is the verdict on the answer, so a lucky response has one label that is wrong by this measure.',
        ...(difference
          ? [
              `AUC of the labels minus AUC of the scores on the held-out steps: ${ranged(difference, (value) => value.toFixed(3).replace('-', '−'))}.`,
            ]
          : []),
      ],
      figures: [],
      tables: [truthTable(truth)],
    });
  }
  if (selection) {
    sections.push({
      id: 'selection',
      title: 'Luck before and after selection',
      short: 'Selection',
      notes: [
        `Every rule applied to the same ${plural(selection.responses, 'response')} of ${selection.table}, ${plural(selection.questions, 'question')} at temperature ${selection.temperature}; "all" is what the others choose from.`,
        'As many at random: what share to expect if of each question as many of its correct responses were drawn as the rule keeps. The difference is what the rewards do.',
      ],
      figures: ['prm-luck'],
      tables: [selectionTable(selection)],
    });
  }
  return sections;
}

/** What every reader must know of the numbers, one sentence each. */
export function headLines({ bootstrap, missing }: PrmAnalysis): {
  readonly about: string[];
  readonly missing: readonly string[];
} {
  const { level, resamples, seed } = bootstrap;
  return {
    about: [
      `Intervals: ${Math.round(level * 100)} %, percentile bootstrap over questions, ${resamples} resamples, seed ${seed}.`,
    ],
    missing,
  };
}
