/** The command that shows what a unit of this manager has said. */
export function journalCommand(manager: 'system' | 'user' | '', unit: string): string {
  return `journalctl ${manager === 'user' ? '--user ' : ''}-u ${unit}`;
}
