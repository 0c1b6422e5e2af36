// Grades the responses of a file, one output row for each input row, in order, and counts the outcomes.
import { inGroups } from '../core/lists.js';
import type { Grade } from '../core/types.js';
import { readRecords } from '../data/records.js';
import { countRotations, type Rotation, type RotationCounts } from '../reward/protocol/circular.js';
import type { AnswerRow, LastResort, Protocol } from '../reward/protocol/protocol.js';
import { findProtocol, officialProtocol } from '../reward/protocol/registry.js';
import { type Sink, writeOutput } from '../run/output.js';
import { readRow, recordedVerdict } from './row.js';

const LIMITS = {
  /** Longest record: a response of a few million characters is graded, a file without line ends refused. */
  recordBytes: 16 * 1024 * 1024,
  /** Rows that the last resort sees together. */
  piece: 256,
  /** Characters that are gathered before they are written. */
  written: 1 << 16,
};

/** How a file of responses is graded, and the file of JSON lines to write. */
export interface GradeOptions {
  readonly out: string;
  /** Name of a protocol. */
  readonly protocol: string;
  /** Adds to every output row how its verdict came about. */
  readonly explain: boolean;
  /** Reads responses that the protocol cannot. */
  readonly lastResort?: LastResort;
}

/** What came out. */
export interface GradeCounts {
  readonly rows: number;
  readonly correct: number;
  readonly wrong: number;
  readonly unreadable: number;
  /** Rows with a recorded verdict, and those of them with the same verdict here. */
  readonly recorded: number;
  readonly agreed: number;
  /** MMBench with rotations only. */
  readonly rotations: RotationCounts | null;
  readonly seconds: number;
}

/**
 * Grades `file` and writes `options.out`, which appears only once it is whole.
 * @throws UserError `file:line: field: found, wanted` at the first row that cannot be graded
 */
export async function gradeFile(file: string, options: GradeOptions): Promise<GradeCounts> {
  const protocol = findProtocol(options.protocol);
  return writeOutput({ flag: '--out', path: options.out, others: [file] }, (sink) =>
    gradeRows(file, protocol, options, sink),
  );
}

async function gradeRows(
  file: string,
  protocol: Protocol,
  { explain, lastResort }: GradeOptions,
  sink: Sink,
): Promise<GradeCounts> {
  const began = performance.now();
  const outcomes = { correct: 0, wrong: 0, unreadable: 0 };
  const rotations: Rotation[] = [];
  let [rows, recorded, agreed, pending] = [0, 0, 0, ''];
  for await (const { value, row, grade } of gradedRows(file, protocol, lastResort)) {
    const correct = grade.verdict === 'correct';
    outcomes[grade.verdict]++;
    rows++;
    const verdict = recordedVerdict(value);
    if (verdict !== null) recorded++;
    if (verdict === correct) agreed++;
    const index = row.taskFormat === 'mmbench' ? /(?:^|\/)(\d{1,12})$/.exec(row.id)?.[1] : undefined;
    if (index !== undefined) rotations.push({ index: Number(index), correct });
    pending += `${JSON.stringify(outputRow(row, grade, explain ? protocol : null))}\n`;
    if (pending.length < LIMITS.written) continue;
    await sink(pending);
    pending = '';
  }
  await sink(pending);
  const seconds = (performance.now() - began) / 1000;
  return { rows, ...outcomes, recorded, agreed, rotations: countRotations(rotations), seconds };
}

interface GradedRow {
  readonly value: unknown;
  readonly row: AnswerRow;
  readonly grade: Grade;
}

/** Rows in the order of the file; the last resort works on a piece of them at a time. */
async function* gradedRows(
  file: string,
  protocol: Protocol,
  lastResort: LastResort | undefined,
): AsyncGenerator<GradedRow> {
  for await (const piece of inGroups(readRecords(file, LIMITS.recordBytes), lastResort ? LIMITS.piece : 1)) {
    const graded = piece.map(({ at, value }): GradedRow => {
      const row = readRow(value, at);
      return { value, row, grade: protocol.grade(row) };
    });
    const again = async (one: GradedRow): Promise<GradedRow> =>
      lastResort ? { ...one, grade: await lastResort(protocol, one.row, one.grade) } : one;
    yield* await Promise.all(graded.map(again));
  }
}

/** `correct` is false for an unreadable response as well; there `extracted` is null and the reason says so. */
function outputRow(row: AnswerRow, grade: Grade, explained: Protocol | null): Record<string, unknown> {
  const { extracted, normalised, verdict } = grade;
  const reason = verdict === 'unreadable' ? `unreadable: ${grade.reason}` : grade.reason;
  const out = { id: row.id, extracted, normalised, correct: verdict === 'correct', reason };
  return explained ? { ...out, explain: explanation(row, grade, explained) } : out;
}

/** What each stage made of the response, in words. */
function explanation(row: AnswerRow, grade: Grade, protocol: Protocol): Record<string, unknown> {
  const used = protocol.name === 'official' ? officialProtocol(row) : protocol;
  const gold = row.answerLetter === undefined ? row.answer : `${row.answerLetter} (${row.answer})`;
  return {
    protocol: used.name,
    ...used.stages?.(row),
    extract: grade.extracted === null ? `nothing: ${grade.reason}` : grade.extracted,
    normalise: grade.normalised,
    compare: `${grade.verdict}: ${grade.reason}; gold ${gold}`,
  };
}
