// Answers to many questions as they finish: node examples/stream.mjs. Leaving the loop ends the sampling.
import { loadModel } from 'mstar';
import { openProblems, writeProblems } from 'mstar/data';
import { grade } from 'mstar/grade';

const { file, imageRoot } = await writeProblems('runs/example-problems', { count: 20, seed: 1 });
const problems = [];
async function* questions() {
  for await (const problem of openProblems(file, { imageRoot })) {
    problems.push(problem);
    yield { question: problem.question, images: problem.images };
  }
}
const model = await loadModel('mstar:tiny', { prompt: { system: 'Solve.' } });
let right = 0;
for await (const { question, sample, text } of model.stream(questions(), { n: 2, temperature: 1, maxTokens: 64 })) {
  const { verdict } = grade(problems[question], text);
  console.log(`question ${question}, answer ${sample}: ${verdict}`);
  if (verdict === 'correct' && ++right === 5) break;
}
await model.dispose();
