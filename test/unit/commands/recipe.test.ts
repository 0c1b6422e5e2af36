// What the verbs of a recipe share: where metrics are reported to.
import { describe, expect, test } from 'vitest';
import { parseReportTo } from '../../../src/commands/recipe.js';

describe('--report-to', () => {
  test('takes names one by one or as a list, each once', () => {
    expect(parseReportTo([])).toEqual([]);
    expect(parseReportTo(['jsonl', 'tensorboard, jsonl'])).toEqual(['jsonl', 'tensorboard']);
  });

  test('refuses wandb in one line that names the way to it', () => {
    expect(() => parseReportTo(['tensorboard', 'wandb'])).toThrow(
      /^--report-to: wandb, [^\n]*docs\/metrics\.md[^\n]*$/,
    );
  });

  test('refuses other names and none', () => {
    expect(() => parseReportTo(['mlflow'])).toThrow('--report-to: mlflow, wanted tensorboard or jsonl');
    expect(() => parseReportTo(['jsonl,'])).toThrow('--report-to: nothing, wanted');
  });
});
