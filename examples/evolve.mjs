// The whole recipe from a program: node examples/evolve.mjs. Run it twice: the second time it finds everything done.
import { evolve, openDisplay } from 'mstar';
import { recipe } from './recipe.mjs';

const summary = await evolve(recipe, { display: openDisplay(process.stderr) });
for (const [checkpoint, { accuracy }] of Object.entries(summary.test)) {
  console.log(checkpoint, `${(accuracy * 100).toFixed(1)} %`);
}
