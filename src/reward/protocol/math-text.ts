// stub
import { mstar } from './mstar.js';
import type { Protocol } from './protocol.js';
export const mathText: Protocol = { ...mstar, name: 'math-text' };
