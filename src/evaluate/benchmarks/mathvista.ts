// MathVista: the five tasks of the paper's tables, and the kinds of questions and answers.
import { all, type Benchmark, byTag } from './benchmark.js';

const TASKS = {
  'figure question answering': 'FQA',
  'geometry problem solving': 'GPS',
  'math word problem': 'MWP',
  'textbook question answering': 'TQA',
  'visual question answering': 'VQA',
};

export const benchmarks: readonly Benchmark[] = [
  {
    name: 'mathvista',
    description: 'MathVista testmini: FQA, GPS, MWP, TQA, VQA',
    taskFormat: 'mathvista',
    keeps: all,
    tables: [
      byTag('task', 'task', TASKS),
      { title: 'question type', of: ({ questionType }) => questionType },
      { title: 'answer type', of: ({ answerType }) => answerType },
      byTag('source', 'source'),
      byTag('category', 'category'),
      byTag('context', 'context'),
      byTag('grade', 'grade'),
    ],
  },
];
