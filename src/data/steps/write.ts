// Writes step-labelled solutions in the forms that other trainers read, a JSON line each.
import type { StepLabelled } from './records.js';

/** A label counts as right above this. */
const RIGHT = 0;

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
  return line({ prompt: question, completions: steps, labels: labels.map((label) => label > RIGHT) });
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
