import { closeSync } from 'node:fs';
import { isatty } from 'node:tty';

/** Which of the standard streams were terminals when we began. */
const TERMINALS = [0, 1, 2].filter(fd => isatty(fd));

/**
 * When Node ends it puts back the settings of these terminals, and aborts where one has been closed meanwhile (tcsetattr: EIO). A
 * descriptor that is closed it leaves out.
 */
export function outliveTerminals(): void {
  if (TERMINALS.length === 0) return;
  process.on('exit', () => {
    for (const fd of TERMINALS) if (isClosedTerminal(fd)) closeSync(fd);
  });
}

/** Nobody reads there any more: for what goes on without its terminal (disown, setsid) that is no failure. */
export function isClosedTerminal(fd: number): boolean {
  return TERMINALS.includes(fd) && !isatty(fd);
}
