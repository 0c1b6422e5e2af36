// What a run made, in the forms that other trainers read: its step labels, and the responses that it trained on.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../core/errors.js';
import { readRows } from '../data/formats/rows.js';
import { messagesLine, type StepLabelled, stepwiseLine, visualPrmLine } from '../data/steps.js';
import { LABELS_FILE, readLabels } from '../record/labels.js';
import { requireOutputs } from '../run/outputs.js';

export const EXPORT_FORMS = ['visualprm', 'stepwise', 'messages'] as const;

/**
 * Lines of an export, in the order of the run's files. `visualprm` and `stepwise`: the labelled responses. `messages`: the responses that the
 * tables of the iterations mark as selected. Picture paths stay as the run has them, relative to its folder.
 * @throws UserError where the run has nothing of the kind
 */
export async function* exportLines(run: string, form: (typeof EXPORT_FORMS)[number]): AsyncGenerator<string> {
  if (form === 'messages') yield* selectedLines(run);
  else {
    const write = form === 'visualprm' ? visualPrmLine : stepwiseLine;
    for await (const labelled of labelledSteps(run)) yield write(labelled);
  }
}

async function* labelledSteps(run: string): AsyncGenerator<StepLabelled> {
  const labelsFile = join(run, LABELS_FILE);
  const table = join(run, 'rollouts/label.parquet');
  for (const file of [labelsFile, table])
    if (!existsSync(file))
      throw new UserError(`${file}: labels: no such file, wanted a run that labelled steps (mstar label)`);
  await requireOutputs(run, [LABELS_FILE, 'rollouts/label.parquet']);
  const labels = new Map((await readLabels(labelsFile)).map((label) => [`${label.problem}\0${label.sample}`, label]));
  for await (const { value, at } of readRows(table)) {
    const label = labels.get(`${value.problem}\0${value.sample}`);
    if (!label) continue;
    const spans = value.steps as { readonly text_start: number; readonly text_end: number }[];
    const steps = spans.map(({ text_start: from, text_end: to }) => label.text.slice(from, to).trim());
    if (steps.length !== label.steps.length)
      throw new UserError(
        `${table}:${at.line}: steps: ${steps.length}, wanted ${label.steps.length} as in ${LABELS_FILE}`,
      );
    yield {
      id: `${label.problem}/${label.sample}`,
      question: String(value.question),
      steps,
      labels: label.steps.map((step) => step.label),
      answer: String(value.answer),
      images: picturesOf(value.image),
    };
  }
}

async function* selectedLines(run: string): AsyncGenerator<string> {
  const folder = join(run, 'rollouts');
  const tables = existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => /^(warmup|iter-\d+)\.parquet$/.test(name))
        .sort()
    : [];
  let selected = 0;
  await requireOutputs(
    run,
    tables.map((name) => `rollouts/${name}`),
  );
  for (const name of tables) {
    for await (const { value } of readRows(join(folder, name))) {
      if (value.selected !== true) continue;
      selected++;
      const id = `${name.replace('.parquet', '')}/${value.problem}/${value.sample}`;
      yield messagesLine({
        id,
        question: String(value.question),
        steps: [String(value.text)],
        labels: [],
        images: picturesOf(value.image),
      });
    }
  }
  if (selected === 0) throw new UserError(`${folder}: selected: no response, wanted a run that trained on some`);
}

const picturesOf = (value: unknown): string[] => (typeof value === 'string' && value !== '' ? value.split('\n') : []);
