// Numbers with a shape, and the parts of them that fixtures store: rows, every k-th element, single indices.

export interface Numbers {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** What to take of one dimension: one index (the dimension goes away), or from a start in steps. */
export type Take = number | readonly [start: number, step: number];

export const ALL: Take = [0, 1];

/** The elements that `takes` name, one entry per dimension, in row-major order. Throws Error for another number of dimensions. */
export function taken({ shape, data }: Numbers, takes: readonly Take[]): Numbers {
  if (takes.length !== shape.length) throw new Error(`shape [${shape}], wanted ${takes.length} dimensions`);
  let offsets = [0];
  for (const [dimension, take] of takes.entries()) {
    const indices = indicesOf(take, shape[dimension] as number);
    offsets = offsets.flatMap((offset) => indices.map((index) => offset * (shape[dimension] as number) + index));
  }
  return {
    shape: takes.flatMap((take, dimension) =>
      typeof take === 'number' ? [] : [indicesOf(take, shape[dimension] as number).length],
    ),
    data: Float64Array.from(offsets, (offset) => data[offset] as number),
  };
}

function indicesOf(take: Take, size: number): number[] {
  if (typeof take === 'number') return [take];
  const [start, step] = take;
  return Array.from({ length: Math.max(0, Math.ceil((size - start) / step)) }, (_, i) => start + i * step);
}

/** Rows of a matrix, by index. */
export function rowsOf(matrix: Numbers, rows: readonly number[]): Numbers {
  const width = matrix.shape[1] as number;
  const data = new Float64Array(rows.length * width);
  for (const [i, row] of rows.entries()) {
    for (let column = 0; column < width; column++)
      data[i * width + column] = matrix.data[row * width + column] as number;
  }
  return { shape: [rows.length, width], data };
}

/** The last rows of a matrix. */
export function lastRows(matrix: Numbers, count: number): Numbers {
  const first = (matrix.shape[0] as number) - count;
  return rowsOf(
    matrix,
    Array.from({ length: count }, (_, i) => first + i),
  );
}

/** One number for each row of a matrix. */
export function perRow({ shape, data }: Numbers, work: (row: Float64Array, index: number) => number): Numbers {
  const [count = 0, width = 0] = shape;
  const values = Float64Array.from({ length: count }, (_, index) => {
    const row = Float64Array.from({ length: width }, (_, column) => data[index * width + column] as number);
    return work(row, index);
  });
  return { shape: [count], data: values };
}

/** log(sum(exp(row))) without overflow. */
export function logSumExp(row: Float64Array): number {
  const most = maximum(row);
  return most + Math.log(row.reduce((sum, value) => sum + Math.exp(value - most), 0));
}

export function maximum(row: Float64Array): number {
  return row.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
}

/** A list as numbers of one dimension. */
export function list(values: ArrayLike<number>): Numbers {
  return { shape: [values.length], data: values };
}
