// Solutions with a label for each step, as the published data sets of process reward models hold them.
import { type Place, refuse, shown } from '../refuse.js';

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

type Fields = Readonly<Record<string, unknown>>;
type Read = (record: Fields, id: string, at: Place) => StepLabelled[];

export interface StepForm {
  readonly name: string;
  accepts(record: Fields): boolean;
  readonly read: Read;
}

const list = (value: unknown, at: Place, field: string): readonly unknown[] => {
  if (!Array.isArray(value)) refuse(at, field, shown(value), 'a list');
  return value as readonly unknown[];
};
const text = (value: unknown, at: Place, field: string): string => {
  if (typeof value !== 'string') refuse(at, field, shown(value), 'a text');
  return value as string;
};
const fields = (value: unknown, at: Place, field: string): Fields => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(at, field, shown(value), 'an object');
  return value as Fields;
};

/** A list of at least one entry. */
const some = (value: unknown, at: Place, field: string): readonly unknown[] => {
  const entries = list(value, at, field);
  if (entries.length === 0) refuse(at, field, shown(value), 'at least one step');
  return entries;
};
const share = (value: unknown, at: Place, field: string): number => {
  if (typeof value !== 'number' || !(value >= 0 && value <= 1)) refuse(at, field, shown(value), 'a share from 0 to 1');
  return value as number;
};
/** Absent in the ways that JSON has for it. */
const isNone = (value: unknown): value is null | undefined => value === null || value === undefined;

/** Math-Shepherd: `input` ends every step with this sign, `label` has + or - in its place. */
const MARK = 'ки';

function mathShepherd(record: Fields, id: string, at: Place): StepLabelled[] {
  const input = text(record.input, at, 'input');
  const label = text(record.label, at, 'label');
  // A question may speak of a step 1 itself: the solution starts at the last one before the first mark.
  const head = input.slice(0, Math.max(0, input.indexOf(MARK)));
  const start = Math.max(0, [...head.matchAll(/(?:^|\s)Step 1:/g)].at(-1)?.index ?? 0);
  const parts = input.slice(start).split(MARK);
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
  if (steps.length === 0) refuse(at, 'input', 'no marked step', `steps that end with ${MARK}`);
  return [{ id, question: input.slice(0, start).trim(), steps, labels: signs, images: [] }];
}

/** PRM800K: at each step several completions were rated; the chosen ones lead on. Ratings: -1 wrong, 0 neutral, 1 right. */
function prm800k(record: Fields, id: string, at: Place): StepLabelled[] {
  const question = fields(record.question, at, 'question');
  const steps: string[] = [];
  const labels: number[] = [];
  for (const [i, step] of list(fields(record.label, at, 'label').steps, at, 'label.steps').entries()) {
    const place = `label.steps[${i}]`;
    const { completions, chosen_completion: chosen, human_completion: human } = fields(step, at, place);
    // Labellers who gave up leave a step without completions.
    const rated = list(completions ?? [], at, `${place}.completions`).map((c, j) =>
      fields(c, at, `${place}.completions[${j}]`),
    );
    if (!isNone(chosen) && !(Number.isSafeInteger(chosen) && Object.hasOwn(rated, chosen as number)))
      refuse(at, `${place}.chosen_completion`, shown(chosen), `one of the ${rated.length} completions, from 0`);
    const index = isNone(chosen) ? undefined : (chosen as number);
    const taken = rated[index ?? (isNone(human) ? 0 : -1)];
    if (!taken && isNone(human)) break;
    const own = taken ?? fields(human, at, `${place}.human_completion`);
    const rating = taken ? own.rating : 1;
    // Without a rating nothing is known of the step or of what follows it.
    if (isNone(rating)) break;
    if (rating !== -1 && rating !== 0 && rating !== 1) refuse(at, `${place}.rating`, shown(rating), '-1, 0 or 1');
    steps.push(text(own.text, at, `${place}.text`));
    labels.push(rating === -1 ? 0 : 1);
    if (index === undefined && isNone(human)) break;
  }
  if (steps.length === 0) return [];
  const answer = question.ground_truth_answer;
  const base = { id, question: text(question.problem, at, 'question.problem'), steps, labels, images: [] };
  return [typeof answer === 'string' ? { ...base, answer } : base];
}

function stepwise(record: Fields, id: string, at: Place): StepLabelled[] {
  const steps = some(record.completions, at, 'completions').map((step, i) => text(step, at, `completions[${i}]`));
  const labels = list(record.labels, at, 'labels').map((label, i) =>
    typeof label === 'boolean' ? Number(label) : share(label, at, `labels[${i}]`),
  );
  if (labels.length !== steps.length)
    refuse(at, 'labels', `${labels.length}`, `${steps.length}, one for each completion`);
  return [{ id, question: text(record.prompt, at, 'prompt'), steps, labels, images: [] }];
}

function visualPrm(record: Fields, id: string, at: Place): StepLabelled[] {
  const counts: number[] = [];
  const labels: number[] = [];
  const steps = some(record.steps_with_score, at, 'steps_with_score').map((entry, i) => {
    const place = `steps_with_score[${i}]`;
    const { step, score, num_mc_total: total } = fields(entry, at, place);
    labels.push(share(score, at, `${place}.score`));
    if (!isNone(total)) {
      if (!Number.isSafeInteger(total) || (total as number) <= 0)
        refuse(at, `${place}.num_mc_total`, shown(total), 'how many completions there are');
      counts.push(total as number);
    }
    return text(step, at, `${place}.step`);
  });
  const { answer } = record;
  const given = record.image ?? record.images;
  // Records without a picture have an empty path in files that give every record one.
  const paths = isNone(given) || given === '' ? [] : Array.isArray(given) ? given : [given];
  const images = paths.map((path, i) => {
    const field = Array.isArray(given) ? `images[${i}]` : 'image';
    return text(path, at, field) || refuse(at, field, 'an empty text', 'a path');
  });
  if (typeof answer === 'object' && answer !== null) refuse(at, 'answer', shown(answer), 'a text');
  return [
    {
      id,
      question: text(record.question_orig ?? record.question, at, 'question'),
      steps,
      labels,
      images,
      ...(counts.length === steps.length && { counts }),
      ...(!isNone(answer) && { answer: String(answer) }),
    },
  ];
}

export const stepForms: readonly StepForm[] = [
  { name: 'visualprm', accepts: (record) => 'steps_with_score' in record, read: visualPrm },
  {
    name: 'prm800k',
    accepts: (record) => typeof record.label === 'object' && record.label !== null && 'question' in record,
    read: prm800k,
  },
  {
    name: 'math-shepherd',
    accepts: (record) => typeof record.input === 'string' && typeof record.label === 'string',
    read: mathShepherd,
  },
  {
    name: 'stepwise',
    accepts: (record) => Array.isArray(record.completions) && Array.isArray(record.labels),
    read: stepwise,
  },
];
