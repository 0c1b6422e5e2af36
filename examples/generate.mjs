// One question to a model: node examples/generate.mjs. The model is released when the block ends.
import { loadModel } from 'mstar';
import { loadProblems, writeProblems } from 'mstar/data';

const { file, imageRoot } = await writeProblems('runs/example-problems', { count: 20, seed: 1 });
const [problem] = await loadProblems(file, { imageRoot });
const model = await loadModel('mstar:tiny', { prompt: { system: 'Solve.' } });
const [answer] = await model.generate({ question: problem.question, images: problem.images, maxTokens: 96 });
console.log(problem.question, '\n', answer.text, '\n', 'right answer:', problem.answer);
await model.dispose();
