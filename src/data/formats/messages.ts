// Conversations in the forms of other trainers, in JSON or in Parquet.
import { isConversation, readConversations } from '../conversation.js';
import type { DataFormat } from './format.js';

export const format: DataFormat = {
  name: 'messages',
  description:
    'conversations: {messages: [{role, content}], images: [...]}, LLaVA, LLaVA-OneVision, ShareGPT, MiniCPM-V, verl',
  accepts: ({ first }) => isConversation(first),
  read: readConversations,
};
