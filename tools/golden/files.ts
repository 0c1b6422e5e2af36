// The files of a golden folder: JSON by schema, expected tensors, pictures, and the forms that every layout shares.
import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Content, Conversation } from '#src/backbones/backbone.js';
import { BYTES_PER_NUMBER, readRanges } from '#src/checkpoint/safetensors.js';
import { readRegularFile } from '#src/core/files.js';
import { readJson } from '#src/core/json.js';
import { checked } from '#src/core/schema.js';
import { decodePicture, type Picture } from '#src/images/decode.js';
import { toFloats } from '../tensors.js';
import type { Numbers } from './numbers.js';

const MAX_PIXELS = 50_000_000;
const MAX_FILE_BYTES = 64 * 2 ** 20;

export const idsSchema = z.array(z.number().int());
export const normsSchema = z.record(z.string(), z.number());
const messageSchema = z.object({
  role: z.enum(['system', 'user', 'assistant']),
  content: z.string(),
  images: z.array(z.string().regex(/^[\w.-]+$/)).default([]),
});
/** What every layout says of a prompt in the same words. */
export const promptSchema = z.object({
  messages: z.array(messageSchema),
  prompt_text: z.string(),
  input_ids: idsSchema,
  image_token_spans: z.array(z.tuple([z.number().int(), z.number().int()])).default([]),
});
/** AdamW as the layouts write it, but for the field that names it. */
export const optimizerSchema = z.object({
  lr: z.number(),
  betas: z.tuple([z.number(), z.number()]),
  eps: z.number(),
  weight_decay: z.number(),
});
const tokenizerSchema = z.array(
  z.object({ text: z.string(), input_ids: idsSchema, decoded_skip_special: z.string().optional() }),
);
export type GoldenMessage = z.infer<typeof messageSchema>;

/** Throws UserError when the file is absent or of another form. */
export async function readGolden<T>(file: string, schema: z.ZodType<T>): Promise<T> {
  return checked(schema, await readJson(file), file);
}

/** Every tensor of a safetensors file, by name. */
export async function readExpected(file: string): Promise<Map<string, Numbers>> {
  const { tensors } = await readRanges(file, { ...BYTES_PER_NUMBER, I64: 8 });
  const bytes = await readRegularFile(file, MAX_FILE_BYTES);
  return new Map(
    tensors.map(({ name, dtype, shape, begin, end }) => {
      const range = bytes.slice(begin, end);
      const data = dtype === 'I64' ? Array.from(new BigInt64Array(range.buffer), Number) : toFloats(range, dtype);
      return [name, { shape, data }];
    }),
  );
}

export async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

/** `read` of the file where there is one. */
export async function whereThere<T>(file: string, read: (file: string) => Promise<T>): Promise<T | undefined> {
  return (await exists(file)) ? read(file) : undefined;
}

/** Names of the folders in `dir`, sorted; none where it is absent. */
export async function foldersIn(dir: string): Promise<string[]> {
  if (!(await exists(dir))) return [];
  const entries = await readdir(dir, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

/** The pictures of all messages, which are files of `dir`. */
export async function readPictures(dir: string, messages: readonly GoldenMessage[]): Promise<Picture[]> {
  const pictures: Picture[] = [];
  for (const name of messages.flatMap(({ images }) => images)) pictures.push(await readPicture(join(dir, name)));
  return pictures;
}

export async function readPicture(file: string): Promise<Picture> {
  return decodePicture(await readRegularFile(file, MAX_FILE_BYTES), file, MAX_PIXELS);
}

/** Where a message stands: the index of its first picture, and whether it is the only one that is not the system's. */
export interface MessagePlace {
  readonly first: number;
  readonly lone: boolean;
}

/** `write` gives the content of a turn. */
export function toConversation(
  messages: readonly GoldenMessage[],
  write: (message: GoldenMessage, place: MessagePlace) => Content,
): Conversation {
  const system = messages.find(({ role }) => role === 'system')?.content;
  const spoken = messages.filter(({ role }) => role !== 'system');
  let first = 0;
  const turns = spoken.map((message) => {
    const content = write(message, { first, lone: spoken.length === 1 });
    first += message.images.length;
    return { role: message.role as 'user' | 'assistant', content };
  });
  return { ...(system !== undefined && { system }), turns };
}

/** `content` with its pictures counted from `first`. */
export function shifted(content: Content, first: number): Content {
  return content.map((part) => ('image' in part ? { image: part.image + first } : part));
}

/** Texts and their ids, as extra/tokenizer_cases.json has them. */
export async function readTokenizer(file: string) {
  const lines = await readGolden(file, tokenizerSchema);
  return {
    place: 'extra/tokenizer',
    lines: lines.map(({ text, input_ids: ids, decoded_skip_special: decoded }) => ({ text, ids, decoded })),
  };
}

/** Text that its end mark ends; undefined for another one, whose ids do not follow from it alone. */
export function withoutEnd(text: string | undefined, end: string): string | undefined {
  return text?.endsWith(end) ? text.slice(0, -end.length) : undefined;
}
