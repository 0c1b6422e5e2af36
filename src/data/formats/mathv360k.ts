// MathV360K: a JSON list or JSON lines of {image, conversations: [human, gpt]} with the query text of MathVista.
import type { DataFormat } from './format.js';
import { format as messages } from './messages.js';

export const format: DataFormat = {
  name: 'mathv360k',
  description: 'MathV360K and LLaVA files: JSON of {image, conversations: [{from: human}, {from: gpt}]}',
  accepts: (head) => head.kind === 'json' && typeof head.first.image === 'string' && messages.accepts(head),
  read: messages.read,
};
