// Greedy accuracy on a data set: node examples/evaluate.mjs. Ctrl-C stops it, the same line goes on.
import { evaluate, openDisplay, Stopped } from 'mstar';
import { writeProblems } from 'mstar/data';

const { file, imageRoot } = await writeProblems('runs/example-problems', { count: 20, seed: 1 });
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
try {
  const settings = {
    model: 'mstar:tiny',
    system: 'Solve.',
    data: file,
    imageRoot,
    out: 'runs/example-evaluate',
    maxTokens: 96,
  };
  const { all } = await evaluate(settings, { signal: stop.signal, display: openDisplay(process.stderr) });
  console.log(`${all.correct} of ${all.problems} correct`);
} catch (error) {
  if (!(error instanceof Stopped)) throw error;
  console.log(error.message);
}
