// Step-labelled solutions as responses to problems: each with its question and pictures, those to one question together.
import { UserError } from '../core/errors.js';
import type { Problem } from '../core/types.js';
import { ImageRoot } from './image-root.js';
import { answerForm, choiceLetter, parseQuestion } from './question.js';
import { shown } from './refuse.js';
import { openSteps, type StepLabelled } from './steps.js';

/** A response to a problem, cut into steps, with the label of each, 0..1. */
export interface Solution extends Pick<StepLabelled, 'steps' | 'labels'> {
  readonly problem: Problem;
  /** Its number among those to the problem. */
  readonly sample: number;
}

export interface SolutionsOptions {
  /** Name of the form; told by the first record when left out. */
  readonly form?: string | undefined;
  /** Folder that picture paths are relative to and may not leave. */
  readonly imageRoot: string;
  readonly linkRoot?: readonly string[] | undefined;
}

/**
 * All solutions of a file that `openSteps` reads, in its order. One question with the same pictures is one problem, with the
 * id of its first record.
 * @throws UserError as `openSteps`, and where a picture cannot be had
 */
export async function readSolutions(file: string, options: SolutionsOptions): Promise<Solution[]> {
  const pictures = new ImageRoot(options.imageRoot, options.linkRoot);
  const known = new Map<string, { readonly problem: Problem; samples: number }>();
  const ids = new Set<string>();
  const solutions: Solution[] = [];
  for await (const record of openSteps(file, options.form)) {
    const key = JSON.stringify([record.question, record.images]);
    let entry = known.get(key);
    if (!entry) {
      let { id } = record;
      while (ids.has(id)) id += `#${known.size}`;
      ids.add(id);
      entry = { problem: problemOf({ ...record, id }, pictures, file), samples: 0 };
      known.set(key, entry);
    }
    const { steps, labels } = record;
    solutions.push({ problem: entry.problem, sample: entry.samples++, steps, labels });
  }
  return solutions;
}

function problemOf({ id, question, answer = '', images }: StepLabelled, pictures: ImageRoot, file: string): Problem {
  const { choices } = parseQuestion(question);
  const sources = images.map((image) => {
    const path = pictures.resolve(image);
    if (typeof path === 'string') return { path };
    throw new UserError(`${file}: image of ${shown(id)}: ${shown(image)}: ${path.found}, wanted ${path.wanted}`);
  });
  return {
    id,
    question,
    images: sources,
    answer: choiceLetter(answer, choices) ?? answer,
    questionType: choices.length > 0 ? 'multi_choice' : 'free_form',
    ...(choices.length > 0 ? { answerType: 'text' } : answerForm(answer)),
    choices,
    source: '',
  };
}
