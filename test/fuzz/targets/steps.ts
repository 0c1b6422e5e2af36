// Step-labelled solutions in four forms: what is read is well-formed, and what the project writes it reads again.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { loadProblems } from '../../../src/data/problems.js';
import { messagesLine, openSteps, type StepLabelled, stepwiseLine, visualPrmLine } from '../../../src/data/steps.js';
import { editedRecords, text, word } from '../inputs.js';
import { acceptedAll, hold, holdEqual, target } from '../target.js';

const texts = fc.array(word, { minLength: 1, maxLength: 4 });
const step = fc.record({
  step: word,
  score: fc.nat(8).map((count) => count / 8),
  num_mc_correct: fc.nat(8),
  num_mc_total: fc.constant(8),
});
const visualprm = fc.record(
  {
    id: fc.oneof(word, fc.nat(99)),
    image: fc.oneof(word, texts),
    question: word,
    answer: word,
    steps_with_score: fc.array(step, { minLength: 1, maxLength: 3 }),
  },
  { requiredKeys: ['question', 'steps_with_score'] },
);
const completion = fc.record({ text: word, rating: fc.constantFrom(-1, 0, 1, null) });
const rated = fc.record({
  completions: fc.array(completion, { maxLength: 3 }),
  human_completion: fc.option(fc.record({ text: word, rating: fc.constant(null) })),
  chosen_completion: fc.option(fc.nat(2)),
});
const prm800k = fc.record({
  question: fc.record({ problem: word, ground_truth_answer: word }),
  label: fc.record({ steps: fc.array(rated, { maxLength: 3 }), total_time: fc.nat(9) }),
});
const mathShepherd = fc
  .tuple(word, fc.array(fc.tuple(word, fc.constantFrom('+', '-')), { minLength: 1, maxLength: 3 }))
  .map(([question, steps]) => {
    const line = (mark: (sign: string) => string): string =>
      `${question} ${steps.map(([found, sign], i) => `Step ${i + 1}: ${found} ${mark(sign)}`).join('\n')}`;
    return { input: line(() => 'ки'), label: line((sign) => sign), task: 'GSM8K' };
  });
const stepwise = texts.chain((completions) =>
  fc.record({
    prompt: word,
    completions: fc.constant(completions),
    labels: fc.array(fc.boolean(), { minLength: completions.length, maxLength: completions.length }),
  }),
);
const solution: fc.Arbitrary<StepLabelled> = texts.chain((steps) =>
  fc.record(
    {
      id: word,
      question: fc
        .oneof(
          word,
          text.map((found) => found.slice(0, 1000)),
        )
        .filter((found) => found.isWellFormed()),
      steps: fc.constant(steps.map((found) => found.trim())),
      labels: fc.array(
        fc.nat(8).map((count) => count / 8),
        { minLength: steps.length, maxLength: steps.length },
      ),
      counts: fc.constant(steps.map(() => 8)),
      answer: word,
      images: fc.array(word, { maxLength: 2 }),
    },
    { requiredKeys: ['id', 'question', 'steps', 'labels', 'images'] },
  ),
);

interface Input {
  readonly bytes?: Uint8Array;
  readonly solution?: StepLabelled;
}

const edited = fc.oneof(...[visualprm, prm800k, mathShepherd, stepwise].map((record) => editedRecords(record)));

export const steps = target<Input>({
  name: 'steps',
  cases: 1000,
  input: fc.oneof(
    { weight: 7, arbitrary: fc.record({ bytes: edited }) },
    { weight: 2, arbitrary: fc.record({ solution }) },
  ),
  async check({ bytes, solution }, folder) {
    const file = join(folder, 'steps.jsonl');
    if (solution) return checkWritten(solution, file, folder);
    writeFileSync(file, bytes as Uint8Array);
    for (const found of (await acceptedAll(file, () => openSteps(file))) ?? []) checkSolution(found);
  },
});

async function checkWritten(solution: StepLabelled, file: string, folder: string): Promise<void> {
  writeFileSync(file, visualPrmLine(solution));
  const [scored] = (await acceptedAll(file, () => openSteps(file))) ?? [];
  const { id, question, steps, labels, counts, answer, images } = solution;
  const plain = (given: StepLabelled | undefined) =>
    given && [given.id, given.question, given.steps, given.labels, given.counts, given.answer, given.images];
  holdEqual(
    plain(scored),
    [id, question, steps, labels, counts, answer, images],
    'what was written as visualprm is read',
  );
  writeFileSync(file, stepwiseLine(solution));
  const [hard] = (await acceptedAll(file, () => openSteps(file))) ?? [];
  holdEqual(
    [hard?.question, hard?.steps, hard?.labels],
    [question, steps, labels.map((label) => Number(label > 0))],
    'what was written as stepwise is read',
  );
  if (question.includes('<image') || question.trim() === '') return;
  writeFileSync(file, messagesLine(solution));
  const [problem] = await loadProblems(file, { imageRoot: folder, onMissingPicture() {} });
  holdEqual(problem?.id, id, 'what was written as messages is read');
  holdEqual(problem?.question, question.trim(), 'the question of written messages is the same');
}

function checkSolution({ id, question, steps, labels, counts, answer, images }: StepLabelled): void {
  hold(typeof id === 'string' && typeof question === 'string', 'id and question are texts', [id, question]);
  hold(steps.length > 0 && steps.every((found) => typeof found === 'string'), 'steps are texts', steps);
  holdEqual(labels.length, steps.length, 'every step has a label');
  hold(
    labels.every((label) => typeof label === 'number' && label >= 0 && label <= 1),
    'labels are shares',
    labels,
  );
  if (counts)
    hold(
      counts.length === steps.length && counts.every((count) => Number.isSafeInteger(count) && count >= 0),
      'counts are counts',
      counts,
    );
  hold(answer === undefined || typeof answer === 'string', 'an answer is a text', answer);
  hold(
    images.every((image) => typeof image === 'string' && image !== '' && !image.includes('[object')),
    'pictures are paths',
    images,
  );
}
