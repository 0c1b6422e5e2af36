// Every setting of a run, with its range, its default and its meaning: the only definition; types are inferred from it.
import { z } from 'zod';
import { givenPrm, stepLabels, writtenExamples } from './elsewhere.js';
import { grpoSettings } from './grpo.js';
import { modelSettings } from './model.js';
import { count, share, temperature, temperatures } from './numbers.js';
import { optimizer } from './optimizer.js';
import { readingSettings } from './reading.js';

const repeats = () => z.enum(['keep', 'drop']).default('keep');

const reading = readingSettings(() => z.string().min(1));

const generated = z.strictObject({
  count: count(1, 10_000_000).describe('problems to make'),
  families: z.array(z.string().min(1)).min(1).optional().describe('families to take in turn; all when left out'),
  range: count(4, 9).optional().describe('values in the pictures are 1 to this'),
  choiceShare: share().optional().describe('share of multiple-choice problems'),
  seed: count(0, 2 ** 32 - 1)
    .optional()
    .describe('seed of the problems; the seed of the run when left out'),
});

/** The settings by group, without the rules over several of them. */
export const settings = z.strictObject({
  seed: count(0, 2 ** 32 - 1)
    .default(1)
    .describe('names every random choice of the run'),
  run: z
    .strictObject({
      dir: z.string().min(1).default('runs/run').describe('run folder; made when missing, resumed when it holds a run'),
      chunk: count(1, 65536).default(64).describe('problems per rollout call, and the unit that a killed run repeats'),
      checkpointEvery: count(0)
        .default(0)
        .describe('optimizer steps between checkpoints inside a training; 0: at its end only'),
      keepCheckpoints: count(0).default(0).describe('iteration checkpoints to keep, newest first; 0: all'),
    })
    .prefault({}),
  model: modelSettings,
  prompt: z
    .strictObject({
      system: z.string().optional().describe("system text; the backbone's own when left out"),
      solve: z.string().default('{question}').describe('user text of the question alone'),
      givenAnswer: z
        .string()
        .default(
          '{question}\nThe right answer is {answer}. Explain step by step how it follows from the picture, ' +
            'then end with: The answer is {answer}',
        )
        .describe('user text that shows the answer, for sampling in the warm-up only'),
    })
    .prefault({}),
  data: z
    .strictObject({
      file: z
        .string()
        .min(1)
        .optional()
        .describe('data set: JSON, JSON lines, CSV, TSV or Parquet in any form that docs/data.md lists'),
      ...reading,
      generate: generated.optional().describe('make picture problems into the run folder instead of reading a file'),
      outOfDomain: z
        .strictObject({
          file: z
            .string()
            .min(1)
            .optional()
            .describe('data set of another kind for an out-of-domain test of the first and last checkpoints'),
          ...reading,
          generate: generated.optional().describe('make such problems instead of reading a file'),
          repeats: z
            .enum(['refuse', 'drop'])
            .default('refuse')
            .describe(
              'problems of the data with the same question and pictures as one of this set: refuse the run, or drop them from the data',
            ),
        })
        .optional(),
    })
    .prefault({}),
  splits: z
    .strictObject({
      seed: count(0, 2 ** 32 - 1)
        .optional()
        .describe('seed of the split; the seed of the run when left out'),
      validation: count(1).default(250).describe('problems for dynamics and adaptive temperature'),
      test: count(1).default(750).describe('problems for the test, never trained on'),
      labelled: share().gt(0).default(0.5).describe('share of the data whose answers may be used for training'),
    })
    .prefault({}),
  sampling: z
    .strictObject({
      maxTokens: count(1, 1_000_000).default(1024).describe('longest response, in tokens'),
      topK: count(0).default(0).describe('draw among the k likeliest tokens; 0: off'),
      topP: z
        .number()
        .gt(0)
        .max(1)
        .default(1)
        .describe('draw among the likeliest tokens of this total probability; 1: off'),
    })
    .prefault({}),
  steps: z
    .strictObject({
      delimiter: z.string().min(1).max(100).default('\n').describe('text that ends a reasoning step'),
    })
    .prefault({}),
  warmup: z
    .strictObject({
      enabled: z.boolean().default(true).describe('false: the model is taken as warmed up already'),
      from: writtenExamples,
      problems: count(0).default(0).describe('labelled problems to sample; 0: all'),
      samples: count(1, 4096).default(16).describe('responses per problem, with the answer given in the prompt'),
      temperature: temperature().gt(0).default(1).describe('sampling temperature'),
      repeats: repeats().describe('right responses of the same text: keep all, or drop all but the first'),
      maxPerProblem: count(0).default(0).describe('most examples per problem; 0: no limit'),
      maxExamples: count(1).default(100_000).describe('most examples in all, drawn by the seed'),
      optimizer: optimizer({ lr: 1e-6, batchSize: 128, epochs: 1, freeze: [] }).describe(
        'fine-tuning on the kept responses',
      ),
    })
    .prefault({}),
  prm: z
    .strictObject({
      enabled: z
        .union([z.boolean(), z.literal('auto')])
        .default('auto')
        .describe(
          'whether labels and a PRM are made; auto: where the rule top or threshold, pseudo labels or the adaptive temperature need it. true: for its measures (Reward-Pass@2, best-of-N) too',
        ),
      path: givenPrm,
      labels: stepLabels,
      problems: count(1).default(50_000).describe('labelled problems to sample responses for'),
      samples: count(1, 4096).default(16).describe('responses per problem'),
      temperature: temperature().gt(0).default(1).describe('temperature of these responses'),
      maxPerProblem: count(1, 4096)
        .default(4)
        .describe('different responses kept per problem, right and wrong in turn'),
      pairs: count(2).default(50_000).describe('problem-response pairs to label'),
      balance: z
        .boolean()
        .default(true)
        .describe('keep right : wrong and multiple-choice : free-form at 1 : 1, dropping the surplus'),
      completions: count(1, 4096)
        .default(8)
        .describe('completions from the end of each step; the label is their right share'),
      completionTemperature: temperature().gt(0).default(1).describe('temperature of the completions'),
      aggregate: z
        .enum(['min', 'last', 'mean', 'product'])
        .default('min')
        .describe('how step scores become the reward of a response'),
      completerEpochs: count(0, 1000)
        .default(4)
        .describe(
          "passes over the warm-up's examples that make the checkpoint which samples for the labels and becomes the PRM, by the optimizer of the warm-up; 0: the warm-up checkpoint does",
        ),
      heldOut: z
        .number()
        .min(0)
        .max(0.9)
        .default(0.1)
        .describe(
          'share of the labelled responses that the PRM is not trained on, whole problems at a time, to measure it by',
        ),
      optimizer: optimizer({ lr: 1e-6, batchSize: 128, epochs: 1, freeze: ['vision'] }).describe('training of the PRM'),
    })
    .prefault({}),
  evolve: z
    .strictObject({
      method: z
        .enum(['continuous', 'iterative-rft', 'rest-em', 'sft', 'grpo'])
        .default('continuous')
        .describe(
          'continuous: checkpoint, optimizer and schedule are inherited by every iteration; iterative-rft: the checkpoint is, optimizer and schedule are fresh; rest-em: every iteration samples with the last policy and trains the warm-up checkpoint anew; sft: nothing is sampled, the labelled answers are trained on for all optimizer steps; grpo: online reinforcement learning: as continuous, but all responses are learned from, by how much better than others to their question they are (docs/grpo.md)',
        ),
      sft: z
        .strictObject({
          on: z
            .enum(['answers', 'chains'])
            .default('answers')
            .describe(
              'what the method sft trains on: the answers of all labelled problems, or the examples of the warm-up',
            ),
          text: z.string().default('The answer is {answer}').describe('response that stands for an answer'),
        })
        .prefault({}),
      grpo: grpoSettings.describe('the method grpo alone'),
      steps: count(0)
        .default(10_000)
        .describe('optimizer steps in all, the same for every method; the last iteration is cut to fit; 0: no limit'),
      iterations: count(0, 100_000).default(0).describe('most iterations; 0: as many as the optimizer steps take'),
      evenly: z
        .boolean()
        .default(false)
        .describe(
          'divide evolve.steps evenly among evolve.iterations, in as many passes over the examples as that takes; else an iteration takes the passes of its optimizer',
        ),
      interval: z
        .union([count(1), z.string().regex(/^(100|\d{1,2}(\.\d{1,4})?)\s?%$/, 'wanted a count or a share like 25%')])
        .default(45_000)
        .describe(
          'problems per iteration, a count or a share of the labelled ones like 25%; they are passed through in turn, and what remains of a pass joins the last iteration where it is less than half of one',
        ),
      n: count(1, 4096).default(16).describe('responses per problem'),
      temperature: temperature().gt(0).default(1).describe('sampling temperature, the first one when it is adaptive'),
      select: z
        .strictObject({
          rule: z
            .enum(['top', 'threshold', 'random', 'all'])
            .default('top')
            .describe('among the right responses: k of highest reward, reward from the threshold up, k at random, all'),
          repeats: repeats().describe(
            'responses of the same text: keep all, as the paper, which drops them from the data of the PRM only, or drop all but the first; Reward-Pass@2 chooses the temperature by the same ones',
          ),
          k: count(1, 4096).default(2).describe('responses per problem for top and random'),
          threshold: z
            .union([z.number().min(-1e6).max(1e6), z.literal('search')])
            .default('search')
            .describe(
              'least reward for the rule threshold; search: the first iteration is trained with each of thresholds, and the one of the highest greedy validation accuracy is taken for the run, the lower of equals',
            ),
          thresholds: z
            .array(z.number().min(-1e6).max(1e6))
            .min(1)
            .max(100)
            .default([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
            .describe('thresholds to search'),
        })
        .prefault({}),
      unlabelled: z
        .strictObject({
          answers: z
            .enum(['none', 'pseudo', 'oracle'])
            .default('none')
            .describe(
              'problems without answers: none; pseudo: the weighted vote of their responses stands for the answer; oracle: their true answers are used, for a skyline',
            ),
          after: share()
            .default(0.5)
            .describe(
              'share of the training that passes before they are mixed in, as half of the problems of an iteration',
            ),
        })
        .prefault({}),
      optimizer: optimizer({ lr: 1e-6, batchSize: 128, epochs: 1, freeze: [] }).describe(
        'training of the policy; the warm-up ratio counts over all iterations, as if k responses were found per question',
      ),
    })
    .prefault({}),
  explore: z
    .strictObject({
      adaptive: z.boolean().default(true).describe('choose the temperature on the validation problems'),
      every: count(1).default(2).describe('iterations between choices'),
      temperatures: temperatures()
        .default([0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6])
        .describe('temperatures to choose from'),
    })
    .prefault({}),
  dynamics: z
    .strictObject({
      problems: count(0).default(0).describe('validation problems to sample; 0: all'),
      samples: count(2, 4096).default(16).describe('responses per problem and temperature'),
      temperatures: temperatures().default([0.4, 0.7, 1, 1.3, 1.6]).describe('temperatures to follow'),
      every: count(1)
        .default(1)
        .describe('iterations between measurements; those of a choice of temperature and the last are always measured'),
    })
    .prefault({}),
  test: z
    .strictObject({
      every: count(1).default(1).describe('iterations between greedy tests; the last is always tested'),
      problems: count(0).default(0).describe('test problems to sample at the end for Pass@K; 0: all'),
      samples: count(2, 4096).default(16).describe('responses per problem for Pass@K and Reward-Pass@2'),
    })
    .prefault({}),
});

/** Rules over several settings; each names the one to change. */
export const configSchema = settings.superRefine((config, context) => {
  const refuse = (isWrong: boolean, setting: string, message: string): void => {
    if (isWrong) context.addIssue({ code: 'custom', path: setting.split('.'), message });
  };
  const { data, splits, dynamics, evolve, test, prompt } = config;
  const { outOfDomain, file, generate } = data;
  const { select, steps, iterations, n } = evolve;
  const none = 'no problems, wanted data.file or data.generate';
  refuse(file === undefined && !generate && !trainsPrmAlone(config), 'data', none);
  refuse(file !== undefined && generate !== undefined, 'data', 'both file and generate, wanted one of them');
  if (outOfDomain) {
    const { file: other, generate: made } = outOfDomain;
    refuse((other === undefined) === (made === undefined), 'data.outOfDomain', 'wanted either file or generate');
    refuse(
      made !== undefined && !generate,
      'data.outOfDomain.generate',
      'set beside data.file, wanted with data.generate only',
    );
  }
  for (const name of Object.keys(reading) as (keyof typeof reading)[]) {
    const isBeside = generate !== undefined && data[name] !== undefined;
    refuse(isBeside, `data.${name}`, 'set beside data.generate, wanted with data.file only');
  }
  if (generate)
    refuse(
      splits.validation + splits.test >= generate.count,
      'splits',
      `${splits.validation} for validation and ${splits.test} for test, wanted fewer than the ${generate.count} made`,
    );
  const atMost = (setting: string, found: number, bound: string, most: number): void =>
    refuse(found > most, setting, `${found}, wanted at most ${bound} (${most})`);
  atMost('dynamics.problems', dynamics.problems, 'splits.validation', splits.validation);
  atMost('test.problems', test.problems, 'splits.test', splits.test);
  if (select.rule === 'top' || select.rule === 'random') atMost('evolve.select.k', select.k, 'evolve.n', n);
  refuse(steps === 0 && iterations === 0, 'evolve.steps', '0 beside 0 evolve.iterations, wanted one of them');
  refuse(
    evolve.evenly && (steps === 0 || iterations === 0),
    'evolve.evenly',
    'true, wanted with evolve.steps and evolve.iterations above 0',
  );
  for (const group of ['warmup', 'evolve'] as const) {
    const freezes = config[group].optimizer.freeze.includes('language');
    const why = 'language beside model.adapter, whose matrices lie there: nothing would learn';
    refuse(config.model.adapter !== undefined && freezes, `${group}.optimizer.freeze`, why);
  }
  const { warmup, prm } = config;
  refuse(warmup.from !== undefined && !warmup.enabled, 'warmup.from', 'given with warmup.enabled false, wanted true');
  for (const name of ['path', 'labels'] as const) {
    const isUnread = prm.enabled === false && prm[name] !== undefined;
    refuse(
      isUnread,
      `prm.${name}`,
      `given, but no PRM is asked (prm.enabled): wanted prm.${name}=null, or a PRM and a decision that needs it`,
    );
  }
  refuse(prm.labels !== undefined && prm.path !== undefined, 'prm.labels', 'given beside prm.path, wanted one of them');
  refuse(
    prm.enabled === false && needsPrm(config),
    'prm.enabled',
    'false, wanted true or auto with evolve.select.rule top or threshold, evolve.grpo.prm, evolve.unlabelled.answers pseudo or explore.adaptive',
  );
  if (evolve.method === 'sft') {
    refuse(steps === 0, 'evolve.steps', '0 with the method sft, wanted the optimizer steps to train for');
    const without = 'chains without a warm-up, wanted warmup.enabled: they are its examples';
    refuse(!config.warmup.enabled && evolve.sft.on === 'chains', 'evolve.sft.on', without);
    refuse(!evolve.sft.text.includes('{answer}'), 'evolve.sft.text', 'no {answer} in it, wanted one');
  }
  if (evolve.method === 'grpo') {
    refuse(n === 1, 'evolve.n', '1 with the method grpo, wanted at least 2: it compares the responses to a question');
    const { topK, topP } = config.sampling;
    const why = 'with the method grpo, which learns from the whole distribution';
    refuse(topK > 0, 'sampling.topK', `${topK} ${why}, wanted 0`);
    refuse(topP < 1, 'sampling.topP', `${topP} ${why}, wanted 1`);
  }
  refuse(!prompt.solve.includes('{question}'), 'prompt.solve', 'no {question} in it, wanted one');
  for (const slot of ['{question}', '{answer}'])
    refuse(!prompt.givenAnswer.includes(slot), 'prompt.givenAnswer', `no ${slot} in it, wanted one`);
});

/** Whether all that a PRM is made from is given, so that the stages up to its training need no problems. */
export function trainsPrmAlone({ warmup, prm }: Pick<Config, 'warmup' | 'prm'>): boolean {
  return prm.labels !== undefined && (!warmup.enabled || warmup.from !== undefined);
}

/** Whether a decision of the run is made by the rewards of a PRM. */
export function needsPrm({ evolve, explore }: Pick<Config, 'evolve' | 'explore'>): boolean {
  const { method, select, unlabelled, grpo } = evolve;
  if (method === 'sft') return false;
  const ranked = method === 'grpo' ? grpo.prm > 0 : select.rule === 'top' || select.rule === 'threshold';
  return ranked || unlabelled.answers === 'pseudo' || explore.adaptive;
}

/** Every setting, resolved: what the phases read and what config.yaml in the run folder holds. */
export interface Config extends z.output<typeof settings> {}
/** What a caller may leave out. */
export interface ConfigInput extends z.input<typeof settings> {}
export type OptimizerConfig = Config['evolve']['optimizer'];
