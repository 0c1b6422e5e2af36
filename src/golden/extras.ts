// Checks of extra/: tokenizer lines, the table of picture grids, a prompt beyond the trained positions.
// Leaves cases/* to cases.ts.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tensor } from '../checkpoint/tensors.js';
import { createCheckpoint } from '../engine/create.js';
import { guarded, guardedNow } from '../engine/native.js';
import type { DescribedModel, OpenedModel } from '../engine/open.js';
import { TOLERANCE } from './cases.js';
import { readExpected, readGolden, schemas } from './files.js';
import { compareExact, compareNumbers, type Report } from './report.js';
import { withModel } from './session.js';

/** Lines as the reference's tokenizer takes them, special strings recognised. */
export async function checkTokenizer(
  report: Report,
  { tokenizer, backbone }: DescribedModel,
  file: string,
  place: string,
): Promise<void> {
  const cases = await readGolden(file, schemas.tokenizer);
  const begin = tokenizer.idOf(backbone.begin) as number;
  for (const [index, { text, input_ids: ids, decoded_skip_special: decoded }] of cases.entries()) {
    await report.check(`${place} ${index}`, 'input_ids', () =>
      compareExact([begin, ...tokenizer.encode(text, { specials: true })], ids),
    );
    if (decoded !== undefined)
      await report.check(`${place} ${index}`, 'decoded', () => compareExact(tokenizer.decode(ids).text, decoded));
  }
}

/** Grids by picture size; asks small models of random weights, made for the table's tile sizes. */
export async function checkTiling(
  report: Report,
  { folder, backbone }: DescribedModel,
  file: string,
  place: string,
): Promise<void> {
  const tokenizer = folder.sideFiles.get(backbone.tokenizerFile) as Uint8Array;
  for (const [index, table] of (await readGolden(file, schemas.tiling)).entries()) {
    const config = override(folder.config, {
      force_image_size: table.image_size,
      'vision_config.image_size': table.image_size,
      'vision_config.num_hidden_layers': 1,
      'llm_config.num_hidden_layers': 1,
      min_dynamic_patch: table.min_num,
      max_dynamic_patch: table.max_num,
    });
    await report.check(`${place} ${index}`, `grids of ${table.image_size}`, async () => {
      const parent = await mkdtemp(join(tmpdir(), 'mstar-golden-'));
      try {
        const dir = join(parent, 'model');
        await createCheckpoint(dir, config, tokenizer, 0, 'F32');
        return await withModel(dir, 'none', async ({ native }) => {
          const found = table.width_height_cols_rows.map(([width, height]) => {
            const { cols, rows } = guardedNow(() => native.imageLayout(width, height));
            return `${width} x ${height}: ${cols} x ${rows}`;
          });
          return compareExact(
            found,
            table.width_height_cols_rows.map(([w, h, cols, rows]) => `${w} x ${h}: ${cols} x ${rows}`),
          );
        });
      } finally {
        await rm(parent, { recursive: true, force: true });
      }
    });
  }
}

/** A prompt under a changed config; `logits_last_<n>` holds the logits of its last n positions. */
export async function checkOverride(report: Report, model: string, dir: string, place: string): Promise<void> {
  const golden = await readGolden(join(dir, 'case.json'), schemas.override);
  const expected = await readExpected(dir);
  const example = { tokens: Int32Array.from(golden.input_ids), images: [], response: new Int32Array() };
  await report.check(place, 'logits', () => {
    const check = async ({ native }: OpenedModel) => {
      const { logits } = await guarded(() => native.inspect(example, ['logits']));
      const [, wanted] = [...expected].find(([name]) => name.startsWith('logits_last_')) as [string, Tensor];
      return compareNumbers(logits?.data.slice(-wanted.data.length) ?? [], wanted.data, TOLERANCE);
    };
    return withModel(model, 'none', check, (config) => override(config, golden.config_overrides));
  });
}

/** A copy with dotted keys set. */
function override(
  config: Readonly<Record<string, unknown>>,
  values: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const copy = structuredClone(config) as Record<string, unknown>;
  for (const [path, value] of Object.entries(values)) {
    const keys = path.split('.');
    const last = keys.pop() as string;
    const holder = keys.reduce((at, key) => at[key] as Record<string, unknown>, copy);
    holder[last] = value;
  }
  return copy;
}
