// Settings of what a run takes from elsewhere in place of making it: examples of the warm-up, labels of steps, a PRM.
import { z } from 'zod';
import { readingSettings } from './reading.js';

const path = () => z.string().min(1);
const { imageRoot, linkRoot } = readingSettings(path);

export const writtenExamples = z
  .strictObject({
    file: path().describe(
      'questions with whole responses, conversations or a table, to train on in place of sampled ones',
    ),
    ...readingSettings(path),
  })
  .optional();

export const stepLabels = z
  .strictObject({
    file: path().describe(
      'solutions with a label for each step, as Math-Shepherd, PRM800K, VisualPRM and TRL have them, to train the PRM on in place of sampled ones; at most prm.pairs, drawn by the seed',
    ),
    form: path()
      .optional()
      .describe('visualprm, prm800k, math-shepherd or stepwise; told by the first record when left out'),
    imageRoot,
    linkRoot,
  })
  .optional();

export const givenPrm = path()
  .optional()
  .describe(
    'checkpoint folder of a PRM made elsewhere, of any backbone, which scores in place of one made by the run: responses go to it as text, in its own chat template, or as token ids where its tokenizer is that of the policy',
  );
