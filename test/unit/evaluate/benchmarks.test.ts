// Benchmarks: found by their files, each with a protocol that exists, its sub-tasks and its subset.
import { describe, expect, test } from 'vitest';
import { type Asked, type Benchmark, tagOf } from '../../../src/evaluate/benchmarks/benchmark.js';
import { benchmarks, findBenchmark } from '../../../src/evaluate/benchmarks/registry.js';
import { rowOf } from '../../../src/evaluate/graded.js';
import { findProtocol } from '../../../src/reward/protocol/registry.js';
import { choiceProblem, numberProblem } from '../../fakes/stored.js';

const partOf = (benchmark: Benchmark, title: string, problem: Asked): readonly string[] | undefined =>
  benchmark.tables.find((one) => one.title === title)?.of(problem);

describe('the registry', () => {
  test('finds every file of the folder, each under its own name', async () => {
    expect((await benchmarks()).map(({ name }) => name)).toEqual([
      'ai2d',
      'm3cot',
      'mathv360k-id',
      'mathvista',
      'mmbench-r',
      'mmbench',
      'mmstar-r',
      'mmstar',
    ]);
  });

  test('refuses a name that it does not have, naming those that there are', async () => {
    await expect(findBenchmark('mathvision')).rejects.toThrow(/--benchmark: mathvision, wanted one of ai2d, .*mmstar/);
  });

  test('gives every benchmark protocols that exist', async () => {
    for (const { protocol, besides } of await benchmarks()) {
      for (const name of [protocol, ...besides]) expect(findProtocol(name).name).toBe(name);
    }
  });
});

describe('sub-tasks', () => {
  test.each([
    ['mathvista', 'task', { task: 'figure question answering' }, ['FQA']],
    ['mathvista', 'task', { task: 'textbook question answering' }, ['TQA']],
    [
      'mathvista',
      'skill',
      { skills: 'algebraic reasoning, geometry reasoning' },
      ['algebraic reasoning', 'geometry reasoning'],
    ],
    ['m3cot', 'domain', { domain: 'commonsense' }, ['commonsense']],
    ['mmstar', 'category', { category: 'science & technology' }, ['science & technology']],
    ['mmbench', 'ability', { 'l2-category': 'finegrained_perception (cross-instance)' }, ['FP-C']],
    ['mmbench', 'ability', { l2_category: 'relation_reasoning' }, ['RR']],
    ['mathv360k-id', 'source', {}, ['counting']],
    ['ai2d', 'category', {}, ['not said']],
  ])('of %s by %s of %j are %j', async (name, title, tags, parts) => {
    expect(partOf(await findBenchmark(name), title, choiceProblem('1', 'A', { tags }))).toEqual(parts);
  });

  test('have the order of the papers: five tasks of MathVista, six categories of MMStar', async () => {
    const [mathvista, mmstar] = [await findBenchmark('mathvista'), await findBenchmark('mmstar')];
    expect(mathvista.tables[0]?.order).toEqual(['FQA', 'GPS', 'MWP', 'TQA', 'VQA']);
    expect(mmstar.tables[0]?.order).toHaveLength(6);
  });

  test('a tag is found under the first name that the data have', () => {
    const problem = choiceProblem('1', 'A', { tags: { L2_Category: 'x', category: '' } });
    expect([tagOf(problem, 'category', 'l2-category'), tagOf(problem, 'task')]).toEqual(['x', undefined]);
  });
});

describe('subsets for reasoning', () => {
  test.each([
    ['mmstar-r', 'category', 'coarse perception', false],
    ['mmstar-r', 'category', 'fine-grained perception', false],
    ['mmstar-r', 'category', 'instance reasoning', true],
    ['mmstar-r', 'category', 'logical reasoning', true],
    ['mmstar-r', 'category', 'science & technology', true],
    ['mmstar-r', 'category', 'math', true],
    ['mmbench-r', 'l2-category', 'logic_reasoning', true],
    ['mmbench-r', 'l2-category', 'attribute_reasoning', true],
    ['mmbench-r', 'l2-category', 'relation_reasoning', true],
    ['mmbench-r', 'l2-category', 'coarse_perception', false],
    ['mmbench-r', 'l2-category', 'finegrained_perception (instance-level)', false],
    ['mmbench-r', 'l2-category', 'finegrained_perception (cross-instance)', false],
  ])('%s counts %s %s: %s', async (name, tag, value, counts) => {
    const { counts: counted } = await findBenchmark(name);
    expect(counted?.(choiceProblem('1', 'A', { tags: { [tag]: value } }))).toBe(counts);
  });

  test('leave out what the data say nothing of', async () => {
    for (const name of ['mmstar-r', 'mmbench-r']) {
      expect((await findBenchmark(name)).counts?.(choiceProblem('1', 'A'))).toBe(false);
    }
  });
});

describe('rotations of MMBench', () => {
  test.each([
    ['21', {}, '21', 0],
    ['3000021', {}, '21', 3],
    ['a', { index: '1000007' }, '7', 1],
    ['21#5', { group: '21' }, '21', 0],
  ])('problem %s with %j asks question %s as rotation %i', async (id, tags, question, rotation) => {
    const { rotationOf } = await findBenchmark('mmbench');
    expect(rotationOf?.(choiceProblem(id, 'A', { tags }))).toEqual({ question, rotation });
  });
});

describe('the row of a protocol', () => {
  test('carries the choice text as the gold answer for MathVista and the letter for the others', () => {
    const problem = choiceProblem('1', 'C');
    expect([rowOf(problem, '', 'mathvista'), rowOf(problem, '', 'm3cot')]).toMatchObject([
      { answer: 'three', answerLetter: 'C' },
      { answer: 'C', answerLetter: 'C' },
    ]);
  });

  test('has no letter where the gold answer is none of the choices, nor for a free-form question', () => {
    expect(rowOf(choiceProblem('1', 'many'), '', 'mstar').answerLetter).toBeUndefined();
    expect(rowOf(numberProblem('1', '3'), '', 'mathvista')).toMatchObject({ answer: '3', answerLetter: undefined });
  });
});
