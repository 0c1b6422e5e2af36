import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type DraftFacts, draftRecipe, draftSplits } from '../../../src/config/draft.js';
import { packageRoot } from '../../../src/config/presets.js';
import { recipeSchema, recipeSchemaFile } from '../../../src/config/recipe-schema.js';
import type { ConfigInput } from '../../../src/config/schema.js';
import { listSettings } from '../../../src/config/settings.js';

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly description?: string;
}

function facts(different: number, more: Partial<DraftFacts['model']> = {}): DraftFacts {
  const reading = { imageRoot: 'pictures: here', columns: 'question=q,answer=a' };
  return {
    data: { file: 'my data.csv', reading, format: 'table', problems: different + 3, different },
    model: {
      path: 'models/m',
      backbone: 'internvl2',
      parameters: 2_205_754_368,
      positions: 8192,
      device: 'cuda',
      ...more,
    },
    dir: 'runs/my data',
    out: 'recipes/r.yaml',
  };
}

describe('a first recipe', () => {
  test.each([
    [20, { test: 3, validation: 4, training: 13 }],
    [100, { test: 17, validation: 5, training: 78 }],
    [1000, { test: 167, validation: 50, training: 783 }],
    [360_000, { test: 750, validation: 250, training: 359_000 }],
  ])('of %i problems leaves most to train on', (different, splits) => {
    expect(draftSplits('d', different)).toEqual(splits);
  });

  test('is refused where the problems are too few', () => {
    expect(() => draftSplits('d.json', 19)).toThrow(
      'd.json: problems: 19 that differ, wanted at least 20 to test, to validate and to train on',
    );
  });

  test.each([20, 47, 100, 1000, 12_345, 360_000])(
    'of %i problems is a recipe that passes every rule',
    async (different) => {
      const text = await draftRecipe(facts(different));
      const recipe = parse(text) as ConfigInput;
      expect(recipe.data).toEqual({ file: 'my data.csv', imageRoot: 'pictures: here', columns: 'question=q,answer=a' });
      expect(recipe.model).toEqual({ path: 'models/m', device: 'cuda', dtype: 'bfloat16' });
      expect(recipe.evolve?.optimizer?.lr).toBe(1e-6);
      expect(recipe.sampling?.maxTokens).toBe(1024);
      expect(recipe.run?.dir).toBe('runs/my data');
    },
  );

  test('takes the texts of the embedded model, and rates that a small model learns with', async () => {
    const small = { path: 'mstar:assets/tiny-internvl2', parameters: 460_128, positions: 1024, device: 'cpu' } as const;
    const recipe = parse(await draftRecipe(facts(300, small))) as ConfigInput;
    expect(recipe.prompt?.system).toBe('Solve.');
    expect(recipe.sampling?.maxTokens).toBe(64);
    expect(recipe.evolve?.optimizer?.lr).toBe(2e-4);
    expect(recipe.model).toMatchObject({ device: 'cpu', dtype: 'float32' });
  });

  test('names its schema in the first line, relative where the package lies below it', async () => {
    const [first] = (await draftRecipe(facts(100))).split('\n');
    expect(first).toBe(`# yaml-language-server: $schema=${recipeSchemaFile}`);
    const near = await draftRecipe({ ...facts(100), out: join(packageRoot, 'r.yaml') });
    expect(near.split('\n')[0]).toBe('# yaml-language-server: $schema=./assets/recipe.schema.json');
  });
});

describe('the schema of recipes', () => {
  test('in assets is the one of the settings: npm run make-schema writes it', () => {
    expect(readFileSync(recipeSchemaFile, 'utf8')).toBe(recipeSchema());
  });

  test('describes every setting', () => {
    const schema = JSON.parse(recipeSchema()) as Schema;
    for (const { path, description } of listSettings()) {
      const found = path.split('.').reduce<Schema | undefined>((at, name) => at?.properties?.[name], schema);
      expect(found?.description, path).toBe(description);
    }
  });
});
