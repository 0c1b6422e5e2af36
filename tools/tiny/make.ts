// Trains the embedded checkpoint assets/tiny-internvl2 from random weights with this project's own trainer: `npm run make-tiny`.
// `-- DIR` writes elsewhere; `--stages` also keeps the checkpoint after each stage, as DIR.STAGE; `--one-thread` leaves a core free.
// What it is and the course it follows stand in model.ts; this is the loop over it.
import { existsSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { RawExample } from '#src/engine/binding.js';
import { createHost } from '#src/engine/host.js';
import { families, pictureSide } from '#src/problems/families.js';
import { problemAt } from '#src/problems/write.js';
import { tokenisePrompt } from '#src/text/prompt.js';
import { createCheckpoint } from '../create.js';
import { lesson } from './lesson.js';
import { type CourseStage, tinyConfig, tinyCourse, tinyPrompt, tinyTokenizer } from './model.js';

const [folder] = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const target = path.resolve(folder ?? 'assets/tiny-internvl2');
const { seed, batch, narrow, stages } = tinyCourse;
/** Special tokens that the tokenizer file does not hold, and room to a round number. */
const vocabularyFor = (pieces: number): number => Math.ceil((pieces + 16) / 16) * 16;
/** Problems whose prompt shows the answer: every so many examples. */
const givenEvery = Math.round(1 / tinyCourse.givenAnswer);

const tokenizer = tinyTokenizer();
const start = `${target}.start`;
const made = `${target}.new`;
for (const dir of [start, made]) rmSync(dir, { recursive: true, force: true });
await createCheckpoint(
  start,
  tinyConfig(vocabularyFor(tokenizer.size)),
  { 'tokenizer.model': tokenizer.model },
  seed,
  'F16',
);
const host = createHost({
  device: 'cpu',
  dtype: 'float32',
  threads: process.argv.includes('--one-thread') ? 1 : 2,
  tokenBudget: 16384,
  maxImagePixels: pictureSide ** 2,
  prompt: tinyPrompt,
});
const policy = await host.openPolicy(start);
const model = policy.opened;
const { backbone, native } = model;
const layouts = [native.imageLayout(pictureSide, pictureSide)];
const endOfTurn = model.tokenizer.idOf(backbone.endOfTurn);

let pictures = 0;
function example(rgb: Uint8Array, question: string, response: string): RawExample {
  const parts = backbone.render({
    system: tinyPrompt.system,
    turns: [{ role: 'user', content: backbone.ask(question, 1) }],
  });
  const { tokens } = tokenisePrompt(parts, model.tokenizer, backbone, layouts);
  const image = { width: pictureSide, height: pictureSide, rgb, key: `picture ${pictures++}` };
  return { tokens, images: [image], response: Int32Array.from([...model.tokenizer.encode(response), endOfTurn]) };
}

const names = Object.keys(families);
function lessonExample(index: number): RawExample {
  const { question, response, rgb } = lesson(names[index % names.length] as string, seed, index, narrow);
  return example(rgb, question, response);
}
function problemExample(index: number, range: number): RawExample {
  const { problem } = problemAt({ count: index + 1, seed, range }, index);
  const given = Math.floor(index / names.length) % givenEvery === 0;
  const question = (given ? tinyPrompt.givenAnswer : tinyPrompt.solve)
    .replace('{question}', problem.question)
    .replace('{answer}', problem.answer);
  return example(problem.rgb, question, problem.truth.steps.join('\n'));
}

let index = 0;
/** Lessons and wide problems lie spread over the batch, so that every family takes its turn in each kind. */
function makeBatch({ lessons, wide }: CourseStage): RawExample[] {
  const kinds = Array.from({ length: batch }, (_, i) =>
    i < Math.round(lessons * batch) ? 'lesson' : i < Math.round((lessons + wide) * batch) ? 'wide' : 'narrow',
  );
  return kinds.map((kind) =>
    kind === 'lesson' ? lessonExample(index++) : problemExample(index++, kind === 'wide' ? 9 : narrow),
  );
}

const total = stages.reduce((sum, { steps }) => sum + steps, 0);
const began = Date.now();
let done = 0;
for (const stage of stages) {
  await native.setOptimizer({
    lr: stage.lr,
    warmupSteps: Math.min(50, Math.floor(stage.steps / 5)),
    beta1: 0.9,
    beta2: 0.98,
    eps: 1e-8,
    weightDecay: 0.01,
    clip: 1,
    frozen: [],
  });
  let loss = 0;
  for (let step = 1; step <= stage.steps; step++) {
    loss += (await native.trainStep(makeBatch(stage), 'response')).loss;
    done++;
    if (step % 100 !== 0 && step !== stage.steps) continue;
    const seconds = (Date.now() - began) / 1000;
    const left = (seconds / done) * (total - done);
    console.log(
      `${stage.name} ${step}/${stage.steps}  loss ${(loss / (step % 100 || 100)).toFixed(4)}  ` +
        `${done}/${total} steps, ${(seconds / 60).toFixed(1)} min, ${(left / 60).toFixed(1)} min left`,
    );
    loss = 0;
  }
  if (!process.argv.includes('--stages')) continue;
  rmSync(`${target}.${stage.name}`, { recursive: true, force: true });
  await policy.save(`${target}.${stage.name}`);
}
await policy.save(made);
await policy.dispose();
rmSync(start, { recursive: true });
if (existsSync(target)) rmSync(target, { recursive: true });
renameSync(made, target);
console.log(`wrote ${path.relative(process.cwd(), target)}`);
