// M3CoT: overall, by domain and by topic, as its judge does.
import { type Benchmark, byTag } from './benchmark.js';

const DOMAINS = { science: 'science', commonsense: 'commonsense', mathematics: 'mathematics' };

export const benchmark: Benchmark = {
  name: 'm3cot',
  title: 'M3CoT',
  protocol: 'm3cot',
  besides: ['mstar'],
  tables: [byTag('domain', ['domain'], DOMAINS), byTag('topic', ['topic'])],
};
