// Opens a model folder for real and runs one tiny forward: what `mstar check` knows about a folder. Writes nothing.
import { hasRewardHead, openFolder } from '../checkpoint/folder.js';
import { EngineError } from '../core/errors.js';
import { PictureStore } from '../images/store.js';
import { tokenisePrompt } from '../text/prompt.js';
import { guarded, guardedNow } from './native.js';
import { type ComputeOptions, type OpenedModel, openModel } from './open.js';
import { Renderer } from './renderer.js';

/** What a model folder holds, after it was loaded and ran once. */
export interface ModelSummary {
  readonly backbone: string;
  readonly kind: 'policy' | 'process reward model';
  /** Numbers in all weights. */
  readonly parameters: number;
  readonly files: number;
  readonly dtypes: readonly string[];
  readonly vocabulary: number;
  /** Most tokens of a prompt and its response. */
  readonly positions: number;
  /** What a picture of 640 x 480 becomes. */
  readonly tiles: number;
  readonly imageTokens: number;
  /** Tokens of the tiny forward. */
  readonly forwardTokens: number;
}

const EXAMPLE_SIZE = [640, 480] as const;

const PICTURE_CACHE_BYTES = 64 * 2 ** 20;

export interface CheckOptions extends ComputeOptions {
  /** Largest picture that is decoded, in pixels. */
  readonly maxImagePixels: number;
}

/**
 * @param look at the prompts of a data set, while the model is open
 * @throws UserError for what is wrong with the folder, EngineError where the forward fails or gives no numbers
 */
export async function checkModel(
  dir: string,
  { maxImagePixels, ...compute }: CheckOptions,
  look: (prompts: Renderer) => Promise<void> = async () => {},
): Promise<ModelSummary> {
  const folder = await openFolder(dir);
  const weights = folder.adapter ? [...folder.weights, folder.adapter.weights] : folder.weights;
  const scores = hasRewardHead(folder);
  const model = await openModel(dir, compute, scores ? 'load' : 'none');
  try {
    const forwardTokens = await tinyForward(model, scores);
    const pictures = new PictureStore({ maxPixels: maxImagePixels, cacheBytes: PICTURE_CACHE_BYTES });
    await look(new Renderer(model, pictures, { solve: '{question}', givenAnswer: '{question}' }));
    const layout = guardedNow(() => model.native.imageLayout(...EXAMPLE_SIZE));
    return {
      backbone: model.backbone.name,
      kind: scores ? 'process reward model' : 'policy',
      parameters: model.parameters.reduce(
        (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
        0,
      ),
      files: weights.length,
      dtypes: [...new Set(weights.flatMap(({ tensors }) => tensors.map(({ dtype }) => dtype)))].sort(),
      vocabulary: model.numbers.vocab,
      positions: model.numbers.max_positions,
      tiles: layout.tiles,
      imageTokens: layout.tokens,
      forwardTokens,
    };
  } finally {
    await guarded(() => model.native.dispose());
  }
}

/** A one-pixel picture, a short question, the end mark as the answer. */
async function tinyForward({ backbone, tokenizer, native }: OpenedModel, scores: boolean): Promise<number> {
  const image = { width: 1, height: 1, rgb: Uint8Array.of(200, 100, 50), key: 'pixel' };
  const parts = backbone.render({ turns: [{ role: 'user', content: backbone.ask('1 + 1 = ?', 1) }] });
  const { tokens } = tokenisePrompt(parts, tokenizer, backbone, [guardedNow(() => native.imageLayout(1, 1))]);
  const example = { tokens, images: [image], response: Int32Array.of(tokenizer.idOf(backbone.endOfTurn) as number) };
  const [values] = await guarded(() =>
    scores ? native.score([example], [Uint32Array.of(0)]) : native.logprobs([example]),
  );
  if (!Number.isFinite(values?.[0]))
    throw new EngineError('ERR_ENGINE', `the forward gave ${values?.[0]}, wanted a number`);
  return tokens.length + 1;
}
