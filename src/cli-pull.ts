import { start } from './node-entry.ts';

/**
 * /usr/lib/berth/pull.cjs: of the Node half the part that a pull needs. It is a fifth of the whole, and what Node does not read a pull does not wait
 * for: 30 ms.
 */
void start({ pull: () => import('./verbs/pull-fetch.ts') });
