// prm.md: the analysis of a PRM as Markdown.
// Leaves the numbers to the files that compute them and what is said of them to sections.ts.
import { curveTable, differenceTable, table } from '../evaluate/markdown.js';
import type { PrmAnalysis } from './analysis.js';
import type { Drawn } from './figures.js';
import type { TextTable } from './rows.js';
import { headLines, sectionsOf, type TextSection } from './sections.js';

export function renderMarkdown(name: string, analysis: PrmAnalysis, figures: readonly Drawn[]): string {
  const { about, missing } = headLines(analysis);
  const parts = [
    `# PRM of ${name}`,
    about.join('\n'),
    ...(missing.length > 0 ? [['Not here:', '', ...missing.map((line) => `- ${line}`)].join('\n')] : []),
    ...sectionsOf(analysis).flatMap((section) => sectionParts(section, figures)),
  ];
  return `${parts.join('\n\n')}\n`;
}

function sectionParts(
  { title, notes, figures: wanted, tables, folded = [], choosing }: TextSection,
  figures: readonly Drawn[],
): string[] {
  return [
    `## ${title}`,
    notes.join('\n'),
    ...(choosing && choosing.curves.length > 0 ? [curveTable(choosing.curves)] : []),
    ...(choosing && choosing.differences.length > 0
      ? [`Differences in points on the same questions, at N = ${choosing.n}:`, differenceTable(choosing.differences)]
      : []),
    ...[...tables, ...folded].flatMap(tableParts),
    ...figures.filter(({ id }) => wanted.includes(id)).map(({ id, title: name }) => `![${name}](${id}.svg)`),
  ];
}

function tableParts({ title, head, rows }: TextTable): string[] {
  return [`${title}:`, table(head, rows)];
}
