// Solutions with a label for each step, as the published data sets of process reward models hold them: reads Math-Shepherd,
// PRM800K, TRL stepwise supervision and VisualPRM from JSON files, told by the first record, and writes a line of three forms.
import { UserError } from '../core/errors.js';
import { readRecords } from './records.js';
import { checkList, checkObject, checkString, type Fields, type Place, refuse, shown } from './refuse.js';

/** A solution cut into steps. A label is the share of right continuations, 0 to 1, or 0 or 1 where the source is hard. */
export interface StepLabelled {
  readonly id: string;
  readonly question: string;
  readonly steps: readonly string[];
  readonly labels: readonly number[];
  /** Completions behind each label, where the source says. */
  readonly counts?: readonly number[];
  readonly answer?: string;
  readonly images: readonly string[];
}

interface StepForm {
  readonly name: string;
  accepts(record: Fields): boolean;
  read(record: Fields, id: string, at: Place): StepLabelled[];
}

/**
 * Streams the solutions of a file in file order; a record without a rated step gives none.
 * @param form name of the form; told by the first record when left out
 * @throws UserError `file:line: field: found, wanted`
 */
export async function* openSteps(file: string, form?: string): AsyncGenerator<StepLabelled> {
  const names = stepForms.map(({ name }) => name).join(', ');
  let found: StepForm | undefined = stepForms.find(({ name }) => name === form);
  if (form !== undefined && !found) throw new UserError(`${file}: form: ${form}, wanted one of ${names}`);
  for await (const { index, at, value } of readRecords(file)) {
    found ??= stepForms.find((candidate) => candidate.accepts(value));
    if (!found) refuse(at, 'record', Object.keys(value).slice(0, 8).join(', '), `one of ${names}`);
    const id = typeof value.id === 'string' || typeof value.id === 'number' ? String(value.id) : String(index);
    yield* (found as StepForm).read(value, id, at);
  }
}

/** The steps of a list of at least one. */
function stepsOf(value: unknown, at: Place, field: string): readonly unknown[] {
  const entries = checkList(value, at, field);
  return entries.length > 0 ? entries : refuse(at, field, shown(value), 'at least one step');
}

function shareOf(value: unknown, at: Place, field: string): number {
  const isShare = typeof value === 'number' && value >= 0 && value <= 1;
  return isShare ? value : refuse(at, field, shown(value), 'a share from 0 to 1');
}

/** Absent in the ways that JSON has for it. */
function isNone(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

const stepForms: readonly StepForm[] = [
  {
    name: 'visualprm',
    accepts: (record) => 'steps_with_score' in record,
    read(record, id, at) {
      const counts: number[] = [];
      const labels: number[] = [];
      const steps = stepsOf(record.steps_with_score, at, 'steps_with_score').map((entry, i) => {
        const place = `steps_with_score[${i}]`;
        const { step, score, num_mc_total: total } = checkObject(entry, at, place);
        labels.push(shareOf(score, at, `${place}.score`));
        if (!isNone(total)) {
          if (!Number.isSafeInteger(total) || (total as number) <= 0)
            refuse(at, `${place}.num_mc_total`, shown(total), 'how many completions there are');
          counts.push(total as number);
        }
        return checkString(step, at, `${place}.step`);
      });
      const { answer } = record;
      const given = record.image ?? record.images;
      // Records without a picture have an empty path in files that give every record one.
      const paths = isNone(given) || given === '' ? [] : Array.isArray(given) ? given : [given];
      const images = paths.map((path, i) => {
        const field = Array.isArray(given) ? `images[${i}]` : 'image';
        return checkString(path, at, field) || refuse(at, field, 'an empty text', 'a path');
      });
      if (typeof answer === 'object' && answer !== null) refuse(at, 'answer', shown(answer), 'a text');
      return [
        {
          id,
          question: checkString(record.question_orig ?? record.question, at, 'question'),
          steps,
          labels,
          images,
          ...(counts.length === steps.length && { counts }),
          ...(!isNone(answer) && { answer: String(answer) }),
        },
      ];
    },
  },
  {
    // At each step several completions were rated; the chosen ones lead on. Ratings: -1 wrong, 0 neutral, 1 right.
    name: 'prm800k',
    accepts: (record) => typeof record.label === 'object' && record.label !== null && 'question' in record,
    read(record, id, at) {
      const question = checkObject(record.question, at, 'question');
      const steps: string[] = [];
      const labels: number[] = [];
      for (const [i, step] of checkList(checkObject(record.label, at, 'label').steps, at, 'label.steps').entries()) {
        const place = `label.steps[${i}]`;
        const { completions, chosen_completion: chosen, human_completion: human } = checkObject(step, at, place);
        // Labellers who gave up leave a step without completions.
        const rated = checkList(completions ?? [], at, `${place}.completions`).map((c, j) =>
          checkObject(c, at, `${place}.completions[${j}]`),
        );
        if (!isNone(chosen) && !(Number.isSafeInteger(chosen) && Object.hasOwn(rated, chosen as number)))
          refuse(at, `${place}.chosen_completion`, shown(chosen), `one of the ${rated.length} completions, from 0`);
        const index = isNone(chosen) ? undefined : (chosen as number);
        const taken = rated[index ?? (isNone(human) ? 0 : -1)];
        if (!taken && isNone(human)) break;
        const own = taken ?? checkObject(human, at, `${place}.human_completion`);
        const rating = taken ? own.rating : 1;
        // Without a rating nothing is known of the step or of what follows it.
        if (isNone(rating)) break;
        if (rating !== -1 && rating !== 0 && rating !== 1) refuse(at, `${place}.rating`, shown(rating), '-1, 0 or 1');
        steps.push(checkString(own.text, at, `${place}.text`));
        labels.push(rating === -1 ? 0 : 1);
        if (index === undefined && isNone(human)) break;
      }
      if (steps.length === 0) return [];
      const answer = question.ground_truth_answer;
      const base = { id, question: checkString(question.problem, at, 'question.problem'), steps, labels, images: [] };
      return [typeof answer === 'string' ? { ...base, answer } : base];
    },
  },
  {
    // `input` ends every step with a mark, `label` has + or - in its place.
    name: 'math-shepherd',
    accepts: (record) => typeof record.input === 'string' && typeof record.label === 'string',
    read(record, id, at) {
      const mark = 'ки';
      const input = checkString(record.input, at, 'input');
      const label = checkString(record.label, at, 'label');
      // A question may speak of a step 1 itself: the solution starts at the last one before the first mark.
      const head = input.slice(0, Math.max(0, input.indexOf(mark)));
      const start = Math.max(0, [...head.matchAll(/(?:^|\s)Step 1:/g)].at(-1)?.index ?? 0);
      const parts = input.slice(start).split(mark);
      const steps = parts.slice(0, -1).map((step) => step.trim());
      const signs: number[] = [];
      // The label is the same text: each mark is looked for where the input has it.
      let at2 = start;
      for (const part of parts.slice(0, -1)) {
        at2 += part.length;
        const sign = label[at2];
        if (sign !== '+' && sign !== '-')
          refuse(at, 'label', shown(sign), `+ or - where input has mark ${signs.length + 1}`);
        signs.push(sign === '+' ? 1 : 0);
        at2 += 1;
      }
      if (steps.length === 0) refuse(at, 'input', 'no marked step', `steps that end with ${mark}`);
      return [{ id, question: input.slice(0, start).trim(), steps, labels: signs, images: [] }];
    },
  },
  {
    name: 'stepwise',
    accepts: (record) => Array.isArray(record.completions) && Array.isArray(record.labels),
    read(record, id, at) {
      const steps = stepsOf(record.completions, at, 'completions').map((step, i) =>
        checkString(step, at, `completions[${i}]`),
      );
      const labels = checkList(record.labels, at, 'labels').map((label, i) =>
        typeof label === 'boolean' ? Number(label) : shareOf(label, at, `labels[${i}]`),
      );
      if (labels.length !== steps.length)
        refuse(at, 'labels', `${labels.length}`, `${steps.length}, one for each completion`);
      return [{ id, question: checkString(record.prompt, at, 'prompt'), steps, labels, images: [] }];
    },
  },
];

/** VisualPRM: every step with its share; `counts` give the numbers of completions. */
export function visualPrmLine({ id, question, steps, labels, counts, answer, images }: StepLabelled): string {
  const scored = steps.map((step, i) => {
    const score = labels[i] as number;
    const total = counts?.[i];
    return {
      step,
      score,
      ...(total === undefined ? {} : { num_mc_correct: Math.round(score * total), num_mc_total: total }),
    };
  });
  const pictures = images.length === 0 ? {} : images.length === 1 ? { image: images[0] } : { images };
  const response = steps.join('\n\n');
  return line({
    id,
    ...pictures,
    question,
    ...(answer === undefined ? {} : { answer }),
    response,
    steps_with_score: scored,
  });
}

/** TRL stepwise supervision: a label is hard, right where any continuation was. */
export function stepwiseLine({ question, steps, labels }: StepLabelled): string {
  return line({ prompt: question, completions: steps, labels: labels.map((label) => label > 0) });
}

/** A conversation whose answer is the whole solution, with a mark for each picture. */
export function messagesLine({ id, question, steps, images }: StepLabelled): string {
  // Marks inside a question place its pictures already.
  const content = question.includes('<image>') ? question : `${'<image>\n'.repeat(images.length)}${question}`;
  const messages = [
    { role: 'user', content },
    { role: 'assistant', content: steps.join('\n') },
  ];
  return line({ id, messages, ...(images.length > 0 && { images }) });
}

function line(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}
