// A model opened for golden checks, and golden prompts in the words of the engine.
// Leaves comparing to the checks beside it.
import { join } from 'node:path';
import type { Content, Conversation } from '../backbones/backbone.js';
import { readRegularFile } from '../core/files.js';
import type { RawExample } from '../engine/binding.js';
import { guarded, guardedNow } from '../engine/native.js';
import { type OpenedModel, openModel } from '../engine/open.js';
import { decodePicture, type Picture } from '../images/decode.js';
import type { PictureLayout } from '../text/prompt.js';
import type { GoldenMessage, GoldenPrompt } from './files.js';

/** Numbers are compared with a float32 reference on the CPU. */
const COMPUTE = { device: 'cpu', dtype: 'float32', threads: 0 } as const;
const MAX_PIXELS = 50_000_000;
const MAX_FILE_BYTES = 64 * 2 ** 20;

/** Opens `dir`, runs `work`, frees the model. `configOf` overrides the folder's config. */
export async function withModel<T>(
  dir: string,
  head: 'none' | 'mean',
  work: (model: OpenedModel) => Promise<T>,
  configOf?: (config: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>,
): Promise<T> {
  const model = await openModel(dir, COMPUTE, head, configOf);
  try {
    return await work(model);
  } finally {
    await guarded(() => model.native.dispose());
  }
}

export interface OpenedPrompt {
  readonly golden: GoldenPrompt;
  readonly conversation: Conversation;
  readonly images: readonly Picture[];
  /** Tiles and tokens of each picture, by this model. */
  readonly layouts: readonly PictureLayout[];
  /** The golden ids with this project's pictures: a wrong prompt does not make the later stages wrong. */
  example(response: readonly number[]): RawExample;
}

/** Reads the pictures of a prompt from `dir`. */
export async function openPrompt(model: OpenedModel, dir: string, golden: GoldenPrompt): Promise<OpenedPrompt> {
  const images: Picture[] = [];
  for (const name of golden.messages.flatMap((message) => message.images)) {
    const file = join(dir, name);
    images.push(await decodePicture(await readRegularFile(file, MAX_FILE_BYTES), file, MAX_PIXELS));
  }
  const layouts = images.map(({ width, height }) => guardedNow(() => model.native.imageLayout(width, height)));
  const tokens = Int32Array.from(golden.input_ids);
  return {
    golden,
    conversation: toConversation(model, golden.messages),
    images,
    layouts,
    example: (response) => ({ tokens, images, response: Int32Array.from(response) }),
  };
}

/** Each placeholder of a message that has pictures is its next picture; a lone first question without one gets it in front. */
function toConversation({ backbone }: OpenedModel, messages: readonly GoldenMessage[]): Conversation {
  const system = messages.find(({ role }) => role === 'system')?.content;
  const spoken = messages.filter(({ role }) => role !== 'system');
  let next = 0;
  const turns = spoken.map(({ role, content, images }) => {
    const texts = images.length > 0 ? content.split(backbone.placeholder) : [content];
    const first = next;
    next += images.length;
    const parts: Content =
      texts.length === 1 && images.length > 0 && spoken.length === 1
        ? backbone.ask(content, images.length)
        : texts.flatMap((text, i) => (i === 0 ? [{ text }] : [{ image: first + i - 1 }, { text }]));
    return { role: role as 'user' | 'assistant', content: parts };
  });
  return { ...(system !== undefined && { system }), turns };
}
