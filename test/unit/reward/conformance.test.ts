// The protocols against the verdicts that the benchmarks themselves recorded, where that data is present.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRow, recordedVerdict } from '../../../src/grade/row.js';
import { protocols } from '../../../src/reward/protocol/registry.js';

const folder = path.resolve('../shared/conformance');
const present = existsSync(folder);
if (!present) console.warn(`${folder} is absent: the agreement with recorded verdicts is not checked`);

type Bar = [file: string, protocol: string, least: number];

/** Least share of rows with a recorded verdict that must get the same one. */
const bars: Bar[] = [
  ['m3cot', 'official', 0.995],
  ['mmstar', 'official', 0.995],
  ['mmbench_circular', 'official', 0.995],
  ['mmbench_can_infer', 'official', 0.995],
  ['geoqa', 'official', 0.995],
  ['scienceqa', 'official', 0.995],
  ['tabmwp', 'official', 0.995],
  ['math_text', 'official', 0.995],
  ['mathvista', 'official', 0.999],
  ['mathvista', 'mstar', 0.98],
  ['mathvista_r1', 'mstar', 0.975],
  ['equiv_pairs', 'mstar', 0.92],
];

/** Where the recorded extraction names no choice, the official rule takes the nearest text: no reader of answers can follow. */
const isForced = (record: Record<string, unknown>): boolean => record.forced_by_edit_distance === true;

describe.skipIf(!present)('agreement with recorded verdicts', () => {
  it.each<Bar>(bars)('%s by protocol %s is at least %d', (name, protocolName, least) => {
    const file = path.join(folder, `${name}.jsonl`);
    const records = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const judged = records.filter(
      (record) => recordedVerdict(record) !== null && !(protocolName === 'mstar' && isForced(record)),
    );
    expect(judged.length).toBeGreaterThan(100);
    const protocol = protocols.get(protocolName);
    const differing = judged.filter((record, i) => {
      const grade = protocol?.grade(readRow(record, { file, line: i + 1 }));
      return (grade?.verdict === 'correct') !== recordedVerdict(record);
    });
    expect(1 - differing.length / judged.length, differing.map(({ id }) => id).join(' ')).toBeGreaterThanOrEqual(least);
  });
});
