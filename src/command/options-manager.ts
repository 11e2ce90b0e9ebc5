import { flag, text } from './rows.ts';
import type { OptionRow } from './types.ts';

/** Whose manager a verb of control speaks to. */
export const MANAGER: readonly OptionRow[] = [
  flag('system', 'units of the system manager (default of root)'),
  flag('user', 'units of your own user manager (default of everybody else)'),
  text('for', 'ACCOUNT', 'units of the user manager of this account, as root'),
];
