// The document of an analysis: of each part a heading, what to know of it in sentences, its figures, its tables.

import type { Document } from '../../page/document.js';
import { count, decimal, plural, ranged } from '../../page/format.js';
import { html, type Part } from '../../page/html.js';
import { figure, fold, grid, note, type Section, section } from '../../page/parts.js';
import { curveTable, differenceTable } from '../evaluation/page.js';
import type { PrmAnalysis } from './analysis.js';
import type { Drawn } from './figures.js';
import {
  calibrationTable,
  labelBinTable,
  rankingTable,
  scoreBinTable,
  selectionTable,
  topsTable,
  truthTable,
} from './rows.js';

/** @param name of the run @param figures those that are drawn, each also a file beside the document */
export function describeAnalysis(name: string, analysis: PrmAnalysis, figures: readonly Drawn[]): Document {
  const drawn = (...wanted: Drawn['id'][]): Part => {
    const own = figures.filter(({ id }) => wanted.includes(id));
    return own.length > 0 && grid(...own.map((one) => figure({ ...one, file: `${one.id}.svg` })));
  };
  return { kind: 'mstar prm', title: `PRM of ${name}`, sections: [about(analysis), ...sectionsOf(analysis, drawn)] };
}

function sectionsOf(analysis: PrmAnalysis, drawn: (...wanted: Drawn['id'][]) => Part): Section[] {
  const { choosing, ranking, tops, calibration, truth, selection, table } = analysis;
  const sections: Section[] = [];
  if (choosing) {
    const { problems, n, temperature, failed, scores } = choosing;
    const lost = failed > 0 ? `, of which ${count(failed)} could not be sampled` : '';
    sections.push(
      section(
        ['choosing', 'Choosing'],
        'Choosing among samples',
        note(
          `${plural(problems, 'problem')} of ${table}${lost}, ${plural(n, 'response')} each at temperature ${temperature}. `,
          `Pass@1, the accuracy of one response: ${ranged(scores[0]?.accuracy)}.`,
        ),
        drawn('prm-curves'),
        choosing.differences.length > 0 && differenceTable(choosing),
        choosing.curves.length > 0 && fold('All numbers of N', curveTable(choosing.curves)),
      ),
    );
  }
  if (ranking) {
    sections.push(
      section(
        ['ranking', 'Ranking'],
        'Rewards of correct and other responses',
        note(
          `${count(ranking.correct)} correct responses and ${count(ranking.other)} others (wrong or unreadable), in ${count(ranking.pairs)} pairs of the same problem. `,
          'AUC: chance that a correct response has a higher reward than another one, ties counted half.',
        ),
        drawn('prm-rewards'),
        rankingTable(ranking),
      ),
    );
  }
  if (tops) {
    const { relevance } = tops;
    sections.push(
      section(
        ['tops', 'Top 2'],
        'Top 2 by reward against the rest of the correct',
        note(
          `${plural(tops.problems, 'problem')} with more than two distinct correct responses: ${count(tops.top)} on top, ${count(tops.rest)} others. Every problem counts once, and the difference is taken problem by problem.`,
          relevance &&
            ` Relevance: ${relevance.model} rated ${count(relevance.asked)} responses; ${plural(relevance.unreadable, 'rating')} could not be read.`,
        ),
        topsTable(tops),
      ),
    );
  }
  if (calibration) {
    sections.push(
      section(
        ['calibration', 'Calibration'],
        'Scores against labels that the PRM has not seen',
        note(
          `${plural(calibration.steps, 'step')} of ${plural(calibration.responses, 'response')} to ${plural(calibration.problems, 'problem')} that were kept out of the training of the PRM.`,
        ),
        drawn('prm-calibration', 'prm-labels'),
        calibrationTable(calibration),
        fold('By tenths of the score', scoreBinTable(calibration)),
        fold('By label', labelBinTable(calibration)),
      ),
    );
  }
  if (truth) {
    const { difference } = truth;
    sections.push(
      section(
        ['truth', 'Truth'],
        'Against the true reasoning',
        note(
          'A step counts as right if it and all steps before it are right. The label of a last step is the verdict on the answer, so a lucky response has one label that is wrong by this measure.',
          difference &&
            ` AUC of the labels minus AUC of the scores on the held-out steps: ${ranged(difference, (value) => decimal(value, 3))}.`,
        ),
        truthTable(truth),
      ),
    );
  }
  if (selection) {
    sections.push(
      section(
        ['selection', 'Selection'],
        'Luck before and after selection',
        note(
          `Every rule applied to the same ${plural(selection.responses, 'response')} of ${selection.table}, ${plural(selection.problems, 'problem')} at temperature ${selection.temperature}; "all" is what the others choose from. `,
          'As many at random: what share to expect if of each problem as many of its correct responses were drawn as the rule keeps. The difference is what the rewards do.',
        ),
        drawn('prm-luck'),
        selectionTable(selection),
      ),
    );
  }
  return sections;
}

function about({ bootstrap: { level, resamples, seed }, missing }: PrmAnalysis): Section {
  return section(
    'about',
    'About',
    note(
      `Intervals: ${Math.round(level * 100)} %, percentile bootstrap over problems, ${resamples} resamples, seed ${seed}.`,
    ),
    missing.length > 0 && html`<p>Not here:</p><ul>${missing.map((line) => html`<li>${line}</li>`)}</ul>`,
  );
}
