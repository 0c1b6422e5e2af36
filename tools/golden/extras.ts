// Checks of changed models: grids of picture sizes, and stages of prompts or pictures.

import type { ModelFolder } from '#src/checkpoint/folder.js';
import type { RawExample } from '#src/engine/binding.js';
import { guardedNow } from '#src/engine/native.js';
import type { OpenedModel } from '#src/engine/open.js';
import type { ExampleInput, ExtraInput } from './inputs.js';
import { checkStages } from './network.js';
import { compareExact, type Report } from './report.js';
import { type Compute, withChanged } from './session.js';

/** One changed model with all its checks. */
export async function checkExtra(
  report: Report,
  folder: ModelFolder,
  compute: Compute,
  extra: ExtraInput,
): Promise<void> {
  const { place, change, grids, examples } = extra;
  await withChanged(folder, compute, change, async (model) => {
    if (grids) {
      await report.check(place, grids.stage, () => {
        const found = grids.rows.map(({ width, height }) => {
          const { cols, rows } = guardedNow(() => model.native.imageLayout(width, height));
          return `${width} x ${height}: ${cols} x ${rows}`;
        });
        return compareExact(
          found,
          grids.rows.map(({ width, height, cols, rows }) => `${width} x ${height}: ${cols} x ${rows}`),
        );
      });
    }
    for (const { width, height } of grids?.refused ?? []) {
      await report.check(place, `refused ${width} x ${height}`, () => {
        try {
          const { cols, rows } = model.native.imageLayout(width, height);
          return { ok: false, note: `${cols} x ${rows}, wanted an error` };
        } catch (error) {
          return { ok: true, note: (error as Error).message };
        }
      });
    }
    for (const example of examples) await checkStages(report, model, rawExample(model, example), place, example.stages);
  });
}

function rawExample({ native, backbone, tokenizer }: OpenedModel, { ids, pictures }: ExampleInput): RawExample {
  const images = pictures();
  const tokens = guardedNow(() =>
    images.reduce((sum, { width, height }) => sum + native.imageLayout(width, height).tokens, 0),
  );
  const { imageToken } = backbone;
  const image = 'id' in imageToken ? imageToken.id : (tokenizer.idOf(imageToken.special) as number);
  return {
    tokens: Int32Array.from(
      ids ?? [tokenizer.idOf(backbone.begin) as number, ...new Array<number>(tokens).fill(image)],
    ),
    images,
    response: new Int32Array(),
  };
}
