// The programs of examples/ and of the documents: their types hold against what the package exports, the short ones run.
import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UserError } from '../../src/index.js';
import { blocksOf, documents, root } from '../fakes/documents.js';
import { addonBuilt } from '../fakes/model-folder.js';

const call = promisify(execFile);
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'mstar-examples-'));
  mkdirSync(join(dir, 'node_modules/@types'), { recursive: true });
  symlinkSync(root, join(dir, 'node_modules/mstar'));
  symlinkSync(join(root, 'node_modules/@types/node'), join(dir, 'node_modules/@types/node'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const examples = readdirSync(join(root, 'examples')).filter((name) => name.endsWith('.mjs'));

/** What the compiler says of programs that import the built package. */
async function faultsOf(programs: Readonly<Record<string, string>>): Promise<string> {
  for (const [name, text] of Object.entries(programs)) writeFileSync(join(dir, name), text);
  const options = { module: 'nodenext', target: 'es2023', checkJs: true, allowJs: true, noEmit: true, strict: false };
  const config = {
    compilerOptions: { ...options, types: ['node'], skipLibCheck: false },
    files: Object.keys(programs),
  };
  writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify(config));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const failed = ({ stdout }: { stdout: string }): { stdout: string } => ({ stdout });
  return (await call(process.execPath, [tsc, '-p', dir]).catch(failed)).stdout;
}

describe.skipIf(!existsSync(join(root, 'dist/index.d.ts')))(
  'against the built package (skipped where it is not)',
  () => {
    test('examples and documents use what is exported, with the options that it has', async () => {
      const blocks = documents.flatMap(blocksOf).filter(({ language }) => language === 'js');
      const documented = blocks.map(({ code }) => code);
      expect(documented.length).toBeGreaterThan(8);
      const programs = [
        ...examples.map((name) => [name, readFileSync(join(root, 'examples', name), 'utf8')] as const),
        ...documented.map((code, i) => [`document-${i}.mjs`, code] as const),
      ];
      expect(await faultsOf(Object.fromEntries(programs))).toBe('');
    }, 120_000);

    test('a misspelt option is a fault of its types as well', async () => {
      const program = "import { loadModel } from 'mstar';\nawait loadModel('m', { divice: 'cpu' });\n";
      expect(await faultsOf({ 'wrong.mjs': program })).toContain('divice');
    }, 120_000);

    test('every type that a function takes or gives is exported by its name', async () => {
      const names = [
        ...[
          'Config',
          'ConfigInput',
          'Evaluation',
          'EvaluateSummary',
          'RolloutSummary',
          'Summary',
          'OpenedRun',
          'RunRow',
        ],
        ...[
          'QueryResult',
          'PrmAnalysis',
          'PrmOptions',
          'Exported',
          'ExportOptions',
          'RunLine',
          'Comparison',
          'Checked',
        ],
        ...[
          'Diagnosis',
          'MemoryPlan',
          'ModelSummary',
          'RewardFunction',
          'SelectFunction',
          'SelectCandidate',
          'Weighted',
        ],
        ...['PhaseHooks', 'PhaseResult', 'ProblemInput', 'ProblemSource', 'GenerateOptions', 'StreamOptions'],
        ...[
          'StreamedResponse',
          'Example',
          'StepReport',
          'UserErrorCode',
          'EngineErrorCode',
          'NativePolicy',
          'NativeScorer',
        ],
      ];
      const uses = names.map((name) => `export type Uses${name} = import('mstar').${name};`).join('\n');
      expect(await faultsOf({ 'names.mts': uses })).toBe('');
    }, 120_000);

    test.skipIf(!addonBuilt).each(['check', 'generate', 'stream', 'train'])(
      '%s.mjs runs',
      async (name) => {
        const { stdout } = await call(process.execPath, [join(root, 'examples', `${name}.mjs`)], { cwd: dir });
        const said = {
          check: /positions; 0 prompts too long/,
          generate: /right answer/,
          stream: /answer 0: \w/,
          train: /step 3: \d+/,
        };
        expect(stdout).toMatch(said[name as keyof typeof said]);
      },
      120_000,
    );
  },
);

test('the codes of docs/library.md are those of the errors', () => {
  const source = readFileSync(join(root, 'src/core/errors.ts'), 'utf8');
  const codes = [...new Set(source.match(/\bERR_[A-Z]+\b/g))].sort();
  expect([...new Set(readFileSync(join(root, 'docs/library.md'), 'utf8').match(/\bERR_[A-Z]+\b/g))].sort()).toEqual(
    codes,
  );
  expect(new UserError('x').code).toBe('ERR_INPUT');
});
