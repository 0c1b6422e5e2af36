// MathV360K: a JSON list or JSON lines of {image, conversations: [human, gpt]} with the query text of MathVista.
import { isConversation, readConversations } from '../conversation.js';
import type { DataFormat } from './format.js';

export const format: DataFormat = {
  name: 'mathv360k',
  description: 'MathV360K and LLaVA files: JSON of {image, conversations: [{from: human}, {from: gpt}]}',
  accepts: ({ kind, first }) => kind === 'json' && typeof first.image === 'string' && isConversation(first),
  read: readConversations,
};
