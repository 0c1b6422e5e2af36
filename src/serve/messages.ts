// The messages of a request as a conversation and its pictures.
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Backbone, Content, Conversation } from '../backbones/backbone.js';
import type { ImageSource } from '../core/types.js';
import type { ImageRoot } from '../data/image-root.js';
import { Refusal } from './refusal.js';

const textPart = z.looseObject({ type: z.literal('text'), text: z.string() });
const imagePart = z.looseObject({
  type: z.literal('image_url'),
  image_url: z.looseObject({ url: z.string().min(1), detail: z.enum(['auto', 'low', 'high']).optional() }),
});
const texts = z.union([z.string(), z.array(textPart)], 'a text, or a list of parts of the type text');
const message = z.discriminatedUnion(
  'role',
  [
    z.looseObject({ role: z.enum(['system', 'developer']), content: texts }),
    z.looseObject({
      role: z.literal('user'),
      content: z.union(
        [z.string(), z.array(z.discriminatedUnion('type', [textPart, imagePart])).min(1)],
        'a text, or a list of parts, {"type": "text", "text": …} or {"type": "image_url", "image_url": {"url": …}}',
      ),
    }),
    z.looseObject({ role: z.literal('assistant'), content: texts, tool_calls: z.undefined().optional() }),
  ],
  { error: 'a role of system, developer, user or assistant' },
);

export const messagesSchema = z.array(message).min(1);
export type Messages = z.infer<typeof messagesSchema>;
type Part = z.infer<typeof textPart> | z.infer<typeof imagePart>;

/** Which pictures a request may bring. */
export interface PictureRules {
  /** Most in one request. */
  readonly most: number;
  /** Where `file:` addresses and paths may lead; none is read where it is left out. */
  readonly root?: ImageRoot | undefined;
}

export interface Chat {
  readonly conversation: Conversation;
  readonly sources: readonly ImageSource[];
}

/**
 * Pictures that come before the text of a message are written as the model's own prompts write them, others where they stand.
 * @param last role of the last message
 * @throws Refusal naming the message at fault
 */
export function readMessages(messages: Messages, { ask }: Pick<Backbone, 'ask'>, rules: PictureRules): Chat {
  const refuse = (at: number, message: string): never => {
    throw new Refusal(400, message, { param: `messages[${at}]` });
  };
  const sources: ImageSource[] = [];
  const picture = (part: z.infer<typeof imagePart>, param: string): number => {
    if (sources.length === rules.most)
      throw new Refusal(400, `messages: more than ${rules.most} pictures, wanted at most so many`, { param });
    return sources.push(sourceOf(part.image_url.url, param, rules.root)) - 1;
  };
  const system: string[] = [];
  const turns: Conversation['turns'][number][] = [];
  for (const [at, { role, content }] of messages.entries()) {
    if (role === 'system' || role === 'developer') {
      if (turns.length > 0) refuse(at, `messages[${at}]: role ${role} behind others, wanted it first`);
      system.push(textOf(content));
      continue;
    }
    const first = sources.length;
    const parts: readonly Part[] = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
    const placed = parts.map((part, i) =>
      part.type === 'text' ? { text: part.text } : { image: picture(part, `messages[${at}].content[${i}].image_url`) },
    );
    const images = sources.length - first;
    const areFirst = placed.slice(0, images).every((part) => 'image' in part);
    const asked = areFirst
      ? ask(textOf(content), images).map((part) => ('image' in part ? { image: first + part.image } : part))
      : placed;
    turns.push({ role, content: asked satisfies Content });
  }
  if (turns.at(-1)?.role !== 'user')
    refuse(messages.length - 1, 'messages: the last one is no question, wanted one of the role user');
  return { conversation: { ...(system.length > 0 && { system: system.join('\n') }), turns }, sources };
}

/** Several texts are lines of one. */
export function textOf(content: string | readonly Part[]): string {
  if (typeof content === 'string') return content;
  return content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
}

function sourceOf(url: string, param: string, root: ImageRoot | undefined): ImageSource {
  const refuse = (message: string): never => {
    throw new Refusal(400, `${param}: ${message}`, { param, code: 'invalid_image_url' });
  };
  const wanted = `a data: URL as data:image/png;base64,...${root ? ', or a file under the image root' : ''}`;
  if (/^data:/i.test(url)) {
    const found =
      /^data:image\/[\w.+-]+(?:;[\w.+-]+=[\w.+-]+)*;base64,/i.exec(url) ??
      refuse(`a data: URL of another kind, wanted ${wanted}`);
    const data = url.slice(found[0].length);
    const bytes = Buffer.from(data, 'base64');
    // Buffer passes over what is no base64.
    if (data === '' || bytes.toString('base64').replace(/=+$/, '') !== data.replace(/=+$/, ''))
      refuse('what is not base64, wanted the bytes of a picture');
    return { bytes, name: param };
  }
  const scheme = /^([a-z][\w+.-]*):/i.exec(url)?.[1]?.toLowerCase();
  if (scheme !== undefined && scheme !== 'file')
    refuse(`an address of ${scheme}:, which is not fetched, wanted ${wanted}`);
  if (!root) return refuse(`a file, and the server has no --image-root, wanted ${wanted}`);
  let path = url;
  try {
    if (scheme === 'file') path = fileURLToPath(url);
  } catch {
    refuse(`a file: URL that names no file of this machine, wanted ${wanted}`);
  }
  const resolved = root.resolve(path);
  if (typeof resolved === 'string') return { path: resolved };
  return refuse(`${resolved.found}, wanted a picture under the image root`);
}
