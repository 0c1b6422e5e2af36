// The in-domain test set: problems held out of MathV360K, by the data set that each comes from.
import { type Benchmark, byAnswerType, byQuestionType, bySource } from './benchmark.js';

export const benchmark: Benchmark = {
  name: 'mathv360k-id',
  title: 'MathV360K in-domain test',
  protocol: 'mstar',
  besides: ['official'],
  tables: [bySource, byQuestionType, byAnswerType],
};
