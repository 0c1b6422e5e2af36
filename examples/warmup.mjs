// The warm-up alone: node examples/warmup.mjs makes runs/example/checkpoints/warmup.
import { warmup } from 'mstar';
import { recipe } from './recipe.mjs';

const summary = await warmup(recipe);
console.log(summary.warmup);
