// MathVista: overall and by task, as its paper and its scorer do. The test split has no answers: testmini it is.
import {
  type Benchmark,
  byAnswerType,
  byQuestionType,
  bySource,
  byTag,
  type Parts,
  tagOf,
  UNKNOWN,
} from './benchmark.js';

const TASKS = {
  'figure question answering': 'FQA',
  'geometry problem solving': 'GPS',
  'math word problem': 'MWP',
  'textbook question answering': 'TQA',
  'visual question answering': 'VQA',
};

/** A problem may ask for several skills. */
const skills: Parts = {
  title: 'skill',
  of: (problem) => tagOf(problem, 'skills')?.split(', ') ?? [UNKNOWN],
};

export const benchmark: Benchmark = {
  name: 'mathvista',
  title: 'MathVista',
  protocol: 'mathvista',
  besides: ['mstar'],
  tables: [
    byTag('task', ['task'], TASKS),
    skills,
    byTag('category', ['category']),
    byTag('context', ['context']),
    byTag('grade', ['grade']),
    byQuestionType,
    byAnswerType,
    bySource,
  ],
};
