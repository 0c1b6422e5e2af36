// A run on problems, rewards and a selection of one's own: node examples/custom.mjs, a minute on two cores.
import { evolve, openDisplay } from 'mstar';
import { openProblems, writeProblems } from 'mstar/data';
import { grade } from 'mstar/grade';
import { recipe } from './recipe.mjs';

const { file, imageRoot } = await writeProblems('runs/example-100', { count: 100, seed: 1 });
const { data: _, ...settings } = recipe;
const summary = await evolve(
  { ...settings, run: { dir: 'runs/example-custom', chunk: 32 } },
  {
    display: openDisplay(process.stderr),
    problems: openProblems(file, { imageRoot }),
    // Half a point for the right answer, half for saying it in few words.
    reward: (problem, { text }) =>
      grade(problem, text).verdict === 'correct' ? 0.5 + 0.5 / Math.max(1, text.split('\n').length) : 0,
    // The two best, the better one with more weight.
    select: (_problem, candidates) =>
      candidates
        .filter((candidate) => candidate.grade.verdict === 'correct')
        .sort((a, b) => b.grade.score - a.grade.score)
        .slice(0, 2)
        .map(({ sample, grade: { score } }) => ({ sample, weight: score })),
    identity: 'right and short, first version',
    hooks: { after: (phase) => console.log(`${phase} is done`) },
  },
);
console.log(summary.test);
