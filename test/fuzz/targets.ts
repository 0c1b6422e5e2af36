// Every parser that is fuzzed.
import type { Target } from './target.js';
import { grader } from './targets/grader.js';
import { journal } from './targets/journal.js';
import { json } from './targets/json.js';
import { labels } from './targets/labels.js';
import { problems, tables } from './targets/problems.js';
import { records } from './targets/records.js';
import { rows } from './targets/rows.js';
import { safetensors } from './targets/safetensors.js';
import { sentencepiece } from './targets/sentencepiece.js';
import { splitPattern } from './targets/split-pattern.js';
import { steps } from './targets/steps.js';
import { tokenizerJson } from './targets/tokenizer-json.js';

export const targets: readonly Target[] = [
  grader,
  journal,
  json,
  labels,
  problems,
  records,
  rows,
  safetensors,
  sentencepiece,
  splitPattern,
  steps,
  tables,
  tokenizerJson,
];
