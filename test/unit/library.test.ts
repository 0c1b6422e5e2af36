// The functions that programs call: what no compiler has checked is refused by name, with a UserError, before anything is done.
import { describe, expect, test } from 'vitest';
import * as root from '../../src/index.js';
import * as data from '../../src/library/data.js';
import * as grade from '../../src/library/grade.js';
import * as judging from '../../src/library/judge.js';

const { UserError } = root;
const mstar = { ...root, ...data, ...grade, ...judging };

test('the names that a program can import are these', () => {
  expect([root, data, grade, judging].map((entry) => Object.keys(entry).sort())).toEqual([
    [
      ...[
        'EngineError',
        'Stopped',
        'UserError',
        'check',
        'compareRuns',
        'createHost',
        'doctor',
        'evaluate',
        'evaluateRun',
      ],
      'evolve',
      ...['experiment', 'listPresets', 'listRuns', 'loadConfig', 'loadModel', 'openDisplay', 'openRun'],
      ...['resolveConfig', 'rollout'],
    ],
    [
      'describeData',
      'loadProblems',
      'messagesLine',
      'openProblems',
      'openSteps',
      'stepwiseLine',
      'visualPrmLine',
      'writeProblems',
    ],
    ['grade', 'gradeFile', 'protocols', 'splitSteps'],
    ['Judge', 'RELEVANCE_PROMPT', 'RelevanceJudge', 'lastResortOf'],
  ]);
});

/** What a call throws or rejects with, at once or as it goes on. */
async function failureOf(call: () => unknown): Promise<unknown> {
  try {
    const result = await call();
    if (result && typeof result === 'object' && Symbol.asyncIterator in result)
      for await (const _ of result as AsyncIterable<unknown>);
    return undefined;
  } catch (error) {
    return error;
  }
}

const classes = new Set(['Judge', 'RelevanceJudge']);
const errors = new Set(['UserError', 'EngineError', 'Stopped']);
// Takes nothing.
const withoutArguments = new Set(['listPresets']);
const functions = Object.entries(mstar).filter(
  ([name, value]) => typeof value === 'function' && !errors.has(name) && !withoutArguments.has(name),
) as [string, (...given: unknown[]) => unknown][];
const called = (name: string, given: readonly unknown[]) => () => {
  const [, value] = functions.find(([one]) => one === name) as (typeof functions)[number];
  return classes.has(name) ? Reflect.construct(value, given) : value(...given);
};

describe.each(functions.map(([name]) => name))('%s', (name) => {
  test.each([[[]], [[null]], [[7, 7, 7]], [[null, null, null]], [[[], []]]])('refuses %j', async (given) => {
    const failure = await failureOf(called(name, given));
    expect(failure).toBeInstanceOf(UserError);
    expect((failure as Error).message).toMatch(new RegExp(`^${name}: [\\w.]+: [^\\n]+, wanted [^\\n]+$`));
  });
});

const response = { text: 'a', tokens: [1], ends: [1] };
const problem = { answer: '1', questionType: 'free_form', answerType: 'text', choices: [] };
const judge = { baseUrl: 'http://localhost', model: 'm' };

test.each<[string, readonly unknown[], string]>([
  ['loadModel', ['d', { divice: 'cpu' }], 'loadModel: divice: unknown, did you mean device?'],
  ['loadModel', ['d', { device: 'gpu' }], 'loadModel: device: "gpu", wanted "cpu" or "cuda"'],
  ['loadModel', ['d', { prompt: { sovle: '' } }], 'loadModel: prompt.sovle: unknown, did you mean solve?'],
  ['createHost', [{ device: 'cpu' }], 'createHost: dtype: missing'],
  ['loadProblems', ['f'], 'loadProblems: options: missing, wanted a value of type object'],
  ['openProblems', ['f', { imageRoot: 'd', limits: 3 }], 'openProblems: limits: unknown, did you mean limit?'],
  ['openProblems', ['f', { imageRoot: 'd', onWarning: true }], 'openProblems: onWarning: true, wanted a function'],
  ['writeProblems', ['d', { count: 1 }], 'writeProblems: seed: missing, wanted'],
  ['evolve', [{}, { sginal: 1 }], 'evolve: sginal: unknown, did you mean signal?'],
  ['evolve', [{}, { display: {} }], 'evolve: display: {}, wanted an object with show, say, close'],
  ['evolve', [{}, { until: 'warm-up' }], 'evolve: until: "warm-up", wanted "warmup" or "label"'],
  ['evolve', [{}, { signal: {} }], 'evolve: signal: {}, wanted a value of type AbortSignal'],
  ['evaluate', [{}, { from: 'x' }], 'evaluate: from: unknown, wanted one of signal, display,'],
  ['evolve', [{}, { hooks: { afterwards: 1 } }], 'evolve: hooks.afterwards: unknown, did you mean after?'],
  ['evolve', [{}, { reward: 1 }], 'evolve: reward: 1, wanted a function'],
  ['rollout', [{}, { problems: 'p.json' }], 'rollout: problems: "p.json", wanted a list or an iterable'],
  [
    'rollout',
    [{ model: 'm', data: 'd', out: 'o', temprature: 1 }],
    'rollout: temprature: unknown setting, did you mean temperature?',
  ],
  ['check', ['m', { data: { file: 'f', imageroot: 'x' } }], 'check: data.imageroot: unknown, did you mean imageRoot?'],
  ['doctor', ['m', { gpus: [0] }], 'doctor: gpus.0: 0, wanted at least 1'],
  ['compareRuns', [['a', 'b'], { page: 'x' }], 'compareRuns: page: unknown, wanted one of html'],
  ['evaluate', [{ rollouts: 'x' }], 'evaluate: out: missing, wanted text'],
  ['evaluate', [{}], 'evaluate: model: missing, wanted model and data, or rollouts with what was sampled before'],
  ['compareRuns', [['a']], 'compareRuns: folders: ["a"], wanted at least 2'],
  ['rollout', [{ model: 'm', data: 'd', out: 'o', maxTokens: 0 }], 'rollout: maxTokens: 0, wanted'],
  ['evaluate', [{ judge: {} }], 'evaluate: judge.lastResort: missing, wanted a function'],
  ['experiment', [{ names: ['table1'], scale: 'tiny', seeds: 1, out: 'o' }], 'experiment: seeds: 1, wanted'],
  ['gradeFile', ['f', { out: 'o', protocol: 'mstar' }], 'gradeFile: explain: missing'],
  ['grade', [problem, null], 'grade: response: null, wanted a value of type string'],
  ['grade', [{ ...problem, choices: undefined }, ''], 'grade: choices: missing'],
  ['splitSteps', [{ ...response, ends: 'x' }], 'splitSteps: ends: "x", wanted a list of numbers'],
  ['splitSteps', [response, ''], 'splitSteps: delimiter: "", wanted at least 1'],
  ['Judge', [{ ...judge, apikey: 'x' }], 'Judge: apikey: unknown, did you mean apiKey?'],
  ['RelevanceJudge', [{ baseUrl: judge.baseUrl }], 'RelevanceJudge: model: missing'],
  ['messagesLine', [{ question: 'q', steps: 'a' }], 'messagesLine: steps: "a", wanted a value of type array'],
])('%s(...%j) is refused', async (name, given, message) => {
  const failure = await failureOf(called(name, given));
  expect(failure).toBeInstanceOf(UserError);
  expect((failure as Error).message).toContain(message);
});

test('what is right goes through', () => {
  expect(mstar.grade({ ...problem, questionType: 'free_form', answerType: 'text' }, 'The answer is 1.').verdict).toBe(
    'correct',
  );
  expect(mstar.splitSteps({ text: 'a', tokens: Int32Array.of(1), ends: Uint32Array.of(1) })).toHaveLength(1);
  expect(new mstar.Judge(judge).model).toBe('m');
});

test('a data set is read with every option of its reader', async () => {
  const columns = { question: 'q', answer: ['a'] };
  const every = {
    imageRoot: '.',
    linkRoot: ['.'],
    format: 'table',
    columns,
    hints: 'none',
    limit: 1,
    onFormat: () => {},
  };
  const failure = await failureOf(() => mstar.loadProblems('absent.csv', every as data.ReadOptions));
  expect((failure as Error).message).toMatch(/^absent\.csv: file: no such file/);
});

test.each<[string, () => unknown]>([
  ['ERR_SETTING', () => mstar.openRun('')],
  ['ERR_SETTING', () => mstar.rollout({ model: 'm', data: 'd', out: 'o', n: 0 })],
  ['ERR_SETTING', () => mstar.resolveConfig({ evolv: 1 } as never)],
  ['ERR_FILE', () => mstar.loadProblems('absent.csv', { imageRoot: '.' })],
  ['ERR_FILE', () => mstar.listRuns('absent')],
  ['ERR_INPUT', () => mstar.loadProblems('package.json', { imageRoot: '.' })],
  ['ERR_SETTING', () => mstar.rollout({ model: 'm', out: 'o' }, { problems: [], reward: Math.max as never })],
])('a failure says what is at fault: %s', async (code, call) => {
  expect(await failureOf(call)).toMatchObject({ name: 'UserError', code });
});
