import { describe, expect, test } from 'vitest';
import { listSettings, nearestSetting, settingAt } from '../../../src/config/settings.js';

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
    expect(nearestSetting(['prm', 'Pairs'])).toBe('prm.pairs');
    expect(nearestSetting(['evolve', 'optimizer', 'learningrate'])).toBeUndefined();
  });
});
