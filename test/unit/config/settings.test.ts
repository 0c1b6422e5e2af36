import { describe, expect, test } from 'vitest';
import { listSettings, nearestSettings, settingAt } from '../../../src/config/settings.js';

describe('the settings', () => {
  test('each have a description', () => {
    const settings = listSettings();
    expect(settings.length).toBeGreaterThan(70);
    expect(settings.filter(({ description }) => description === '')).toEqual([]);
  });

  test('can be found by their own path', () => {
    for (const { path } of listSettings()) expect(settingAt(path.split('.'))).toBeDefined();
    expect(settingAt(['evolve', 'constructor'])).toBeUndefined();
  });

  test('name a near setting, and none where nothing is near', () => {
    expect(nearestSettings(['prm', 'Pairs'])).toEqual(['prm.pairs']);
    expect(nearestSettings(['evolve', 'iter'])).toEqual(['evolve.iterations']);
    expect(nearestSettings(['evolve', 'optimizer', 'banana'])).toEqual([]);
  });

  test.each([
    ['evolve.lr', ['evolve.optimizer.lr']],
    ['lr', ['warmup.optimizer.lr', 'prm.optimizer.lr', 'evolve.optimizer.lr']],
    ['model.seed', ['seed']],
    ['evolve.maxTokens', ['sampling.maxTokens']],
    ['training.batchSize', ['warmup.optimizer.batchSize', 'prm.optimizer.batchSize', 'evolve.optimizer.batchSize']],
    ['evolve.optimizer.learning_rate', ['evolve.optimizer.lr']],
  ])('take the last name of %s before any other likeness', (path, near) => {
    expect(nearestSettings(path.split('.'))).toEqual(near);
  });

  test('say which values they take', () => {
    const values = Object.fromEntries(listSettings().map((setting) => [setting.path, setting.values]));
    expect(Object.values(values).filter((text) => !text)).toEqual([]);
    expect(values).toMatchObject({
      'model.device': 'one of cpu, cuda',
      'evolve.n': 'a whole number from 1 to 4096',
      'evolve.iterations': 'a whole number from 0 to 100000',
      'evolve.optimizer.lr': 'a number above 0 to 1',
      'sampling.topK': 'a whole number from 0',
      'warmup.enabled': 'true or false',
      'evolve.optimizer.freeze': 'a list, each one of vision, projector, language',
      'evolve.select.threshold': 'a number from -1000000 to 1000000, or search',
    });
  });
});
