// The process reward model: node examples/train-prm.mjs makes runs/example/checkpoints/prm (and what comes before it).
import { trainPrm } from 'mstar';
import { recipe } from './recipe.mjs';

const summary = await trainPrm(recipe);
console.log(summary.prm);
