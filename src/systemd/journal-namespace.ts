/** Words for journalctl(1): LogNamespace= of a unit is another journal, beside that of all. More than one can only be named as every one. */
export function inNamespaces(names: readonly string[]): string[] {
  const [first, ...others] = new Set(names.filter(name => name !== ''));
  return first === undefined ? [] : [`--namespace=${others.length === 0 ? `+${first}` : '*'}`];
}
