// Monte-Carlo step labels: node examples/label.mjs makes runs/example/labels.jsonl (and the warm-up before it).
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { label } from 'mstar';
import { recipe } from './recipe.mjs';

const summary = await label(recipe);
console.log(summary.labels);
for await (const line of createInterface({ input: createReadStream('runs/example/labels.jsonl') })) {
  const { text, steps } = JSON.parse(line);
  console.log(
    text,
    steps.map((step) => step.label),
  );
  break;
}
