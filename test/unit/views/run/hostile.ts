// A run whose questions, steps, answers and ids try to become markup, made by the whole loop on the fake learner.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { evolve } from '../../../../src/jobs/jobs.js';
import { writeProblems } from '../../../../src/problems/write.js';
import { fakeHost } from '../../../fakes/host.js';
import { smallRecipe } from '../../../integration/recipe.js';

/** Texts that end elements, attributes, comments and scripts, make requests, or hide what follows. */
export const HOSTILE = [
  '<script>alert(1)</script>',
  '</p></li></details></section><h1>owned</h1>',
  '"><img src=https://example.com/x.png onerror=alert(2)>',
  "' onmouseover='alert(3)",
  '<!-- ]]></style></svg><svg onload=alert(4)>',
  'a\u0000b\u001b[31m\u202egnp.exe',
] as const;

/** Runs the loop in `root/run` on problems that carry these texts; the first problem cannot be sampled. */
export async function hostileRun(root: string): Promise<string> {
  const { file, imageRoot } = await writeProblems(join(root, 'data'), { count: 160, seed: 5 });
  const rows = JSON.parse(readFileSync(file, 'utf8')) as Row[];
  rows.forEach((row, i) => {
    const text = HOSTILE[i % HOSTILE.length] as string;
    row.id = `${i}${text}`;
    row.conversations[0].value = row.conversations[0].value.replace('\n', `\n${text} `);
    row.truth.steps[0] = `${text} ${row.truth.steps[0]}`;
  });
  writeFileSync(file, JSON.stringify(rows));
  const broken = new Set(rows.slice(0, 40).map(({ id }) => id));
  const recipe = smallRecipe(root, 'run', { data: { file, imageRoot } });
  await evolve(recipe, { host: fakeHost({ broken }) });
  return join(root, 'run');
}

interface Row {
  id: string;
  readonly conversations: [{ value: string }, { value: string }];
  readonly truth: { steps: string[] };
}
