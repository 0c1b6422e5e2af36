// Small Parquet files for tests, each of one select.
import { openDatabase, pathOf } from '../../src/core/duckdb.js';

export async function writeParquet(path: string, select: string): Promise<string> {
  const { connection, close } = await openDatabase();
  await connection.run(`copy (${select}) to ${pathOf(path)} (format parquet)`);
  close();
  return path;
}

/** Bytes as SQL. */
export function blob(bytes: Uint8Array): string {
  return `from_hex('${Buffer.from(bytes).toString('hex')}')`;
}
