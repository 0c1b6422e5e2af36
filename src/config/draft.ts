// The first recipe for a data set and a model: sizes that fit both, each with a line on what it does.
import { dirname, relative } from 'node:path';
import { parse, stringify } from 'yaml';
import { UserError } from '../core/errors.js';
import { readPreset, resolveConfig, resolvePath } from './load.js';
import { recipeSchemaFile } from './recipe-schema.js';

/** What a recipe is drawn up for. */
export interface DraftFacts {
  readonly data: {
    readonly file: string;
    /** More settings of `data`, as they were given. */
    readonly reading: Readonly<Record<string, unknown>>;
    readonly format: string;
    readonly problems: number;
    /** Problems that differ in pictures or question: repeats move together. */
    readonly different: number;
  };
  readonly model: {
    readonly path: string;
    readonly backbone: string;
    readonly parameters: number;
    /** Most tokens of a prompt and its response. */
    readonly positions: number;
    readonly device: 'cpu' | 'cuda';
  };
  /** Run folder of the recipe. */
  readonly dir: string;
  /** File that the recipe will be, which its schema is named from. */
  readonly out: string;
}

/**
 * How many problems go where: as in the paper for large sets, a sixth and a twentieth of small ones. Throws UserError where too
 * few are left.
 */
export function draftSplits(file: string, different: number) {
  const least = 20;
  if (different < least) {
    const wanted = `wanted at least ${least} to test, to validate and to train on`;
    throw new UserError(`${file}: problems: ${different} that differ, ${wanted}`, 'ERR_SETTING');
  }
  const test = Math.min(750, Math.round(different / 6));
  const validation = Math.min(250, Math.max(4, Math.round(different / 20)));
  return { test, validation, training: different - test - validation };
}

/** The recipe as YAML; it has been checked. */
export async function draftRecipe(facts: DraftFacts): Promise<string> {
  const { data, model, dir } = facts;
  const { test, validation, training } = draftSplits(data.file, data.different);
  const isSmall = model.parameters < 5e7;
  const rate = (small: number): string =>
    (isSmall ? small : model.parameters < 1e9 ? 1e-5 : 1e-6).toExponential().replace('e', '.0e');
  const batch = Math.min(128, Math.max(4, 2 ** Math.floor(Math.log2(training / 8))));
  const taught = await embeddedModel(model.path);
  const maxTokens = taught?.maxTokens ?? Math.min(1024, Math.floor(model.positions / 2));
  // Relative where the package lies below the recipe, as node_modules does.
  const below = relative(dirname(facts.out), recipeSchemaFile);
  const schemaPath = below.startsWith('..') ? recipeSchemaFile : `./${below}`;
  const value = (given: unknown): string =>
    stringify(given, { lineWidth: 0, ...(typeof given === 'object' && { collectionStyle: 'flow' }) }).trim();
  /** A name within a comment. */
  const plain = (text: string): string => text.replace(/\p{C}/gu, ' ');
  const count = (number: number): string => number.toLocaleString('en-US');
  const text = `# yaml-language-server: $schema=${schemaPath}
# ${plain(data.file)}: ${data.format}, ${count(data.problems)} problems${data.different < data.problems ? `, ${count(data.different)} of them different` : ''}
# ${plain(model.path)}: ${model.backbone}, ${count(model.parameters)} parameters
#
# mstar evolve --config ${plain(facts.out)} runs it, and the same line goes on with a run that was stopped. Whatever is not here has its
# default: mstar evolve --settings lists every setting with the values it takes. Paths start at the folder that mstar is run in.

seed: 1

run:
  # Made when missing; one folder per run.
  dir: ${value(dir)}

model:
  path: ${value(model.path)}
  # cuda with bfloat16 on a GPU; cpu with float32 without.
  device: ${model.device}
  dtype: ${model.device === 'cuda' ? 'bfloat16' : 'float32'}
${taught ? `\n# The texts that the embedded model was taught with.\nprompt: ${value(taught.prompt)}\n` : PROMPT}
data:
  file: ${value(data.file)}
${Object.entries(data.reading)
  .map(([name, given]) => `  ${name}: ${value(given)}\n`)
  .join(
    '',
  )}${data.reading.imageRoot === undefined ? '  # Pictures lie in the folder of the file; name another one here.\n  # imageRoot: pictures\n' : ''}
splits:
  # Never trained on: the test, and the problems that the sampling temperature is chosen by.
  test: ${test}
  validation: ${validation}
  # Share of the data whose answers may be used for training; 1: all the rest, about ${count(training)} problems.
  labelled: 1

sampling:
  # Longest response; prompt and response together have ${count(model.positions)} positions in this model.
  maxTokens: ${maxTokens}

# Chains of thought sampled with the answer shown, the right ones trained on without it.
warmup:
  samples: ${isSmall ? 4 : 16}
  optimizer: { lr: ${rate(3e-5)}, batchSize: ${batch} }

# The process reward model, from steps labelled by completions.
prm:
  problems: ${Math.min(50_000, training)}
  pairs: ${Math.min(50_000, 2 * training)}
  optimizer: { lr: ${rate(5e-4)}, batchSize: ${batch} }

evolve:
  # Each iteration samples n responses to its share of the problems and trains on the best k right ones.
  iterations: 4
  interval: ${training < 200 ? training : '50%'}
  n: ${isSmall ? 8 : 16}
  select: { rule: top, k: 2 }
  optimizer: { lr: ${rate(2e-4)}, batchSize: ${batch} }

explore:
  # The sampling temperature is chosen among these on the validation problems.
  temperatures: [0.4, 0.7, 1, 1.3]

# What is measured on the way and at the end.
dynamics: { samples: 8, temperatures: [0.7, 1] }
test: { problems: ${Math.min(200, test)}, samples: 16 }
`;
  resolveConfig(parse(text));
  return text;
}

const PROMPT = `
prompt:
  # User text; {question} is the question as the data has it. For example: "{question}\\nThink step by step."
  solve: "{question}"
`;

/** What the embedded model was taught with, where the path is its own. */
async function embeddedModel(path: string): Promise<{ prompt: unknown; maxTokens: number } | undefined> {
  const { model, prompt, sampling } = (await readPreset('demo')) as {
    model: { path: string };
    prompt: object;
    sampling: { maxTokens: number };
  };
  return resolvePath(path) === resolvePath(model.path) ? { prompt, maxTokens: sampling.maxTokens } : undefined;
}
