import { printable } from './command-line.ts';
import type { Node, Picture } from './graph-picture.ts';

/** Keys that only say when a unit starts. */
const ORDER: readonly string[] = ['After'];

/** `requires` and the like in one word, the strongest first. */
const STRENGTH: readonly string[] = ['BindsTo', 'Requires', 'Requisite', 'Upholds', 'Wants', 'PartOf', 'After'];

export function strongest(keys: readonly string[]): string {
  return STRENGTH.find(key => keys.includes(key)) ?? '';
}

/** True when the one needs the other, rather than only starting after it. */
export function needs(keys: readonly string[]): boolean {
  return keys.some(key => !ORDER.includes(key));
}

/**
 * A tree for each unit that nothing else depends on. What was drawn before is named and not drawn again.
 *
 *     web.service  (web.container)
 *     ├─ Requires  data-volume.service  (data.volume)
 *     └─ BindsTo   shop-pod.service  (shop.pod)
 */
export function drawText({ nodes, edges }: Picture): string {
  const lines: string[] = [];
  const seen = new Set<string>();
  const label = (unit: string): string => {
    const node = nodes.find(one => one.unit === unit);
    const file = node === undefined || node.file === '' ? '' : `  (${node.file}${node.failed ? ', failed' : ''})`;
    return `${unit}${file}`;
  };
  const draw = (unit: string, before: string): void => {
    const below = edges.filter(edge => edge.from === unit);
    const width = Math.max(0, ...below.map(edge => strongest(edge.keys).length));
    below.forEach(({ to, keys }, index) => {
      const isLast = index === below.length - 1;
      const again = seen.has(to) && edges.some(edge => edge.from === to);
      lines.push(`${before}${isLast ? '└─' : '├─'} ${strongest(keys).padEnd(width)}  ${label(to)}${again ? ' …' : ''}`);
      if (again) return;
      seen.add(to);
      draw(to, `${before}${isLast ? '   ' : '│  '}`);
    });
  };
  for (const { unit } of [...roots({ nodes, edges }), ...nodes]) {
    if (seen.has(unit)) continue;
    seen.add(unit);
    lines.push(label(unit));
    draw(unit, '');
  }
  return lines.map(line => `${printable(line)}\n`).join('');
}

function roots({ nodes, edges }: Picture): readonly Node[] {
  return nodes.filter(({ unit }) => !edges.some(edge => edge.to === unit && edge.from !== unit));
}

/** The language of Graphviz, https://graphviz.org/doc/info/lang.html: in a quoted string only the quote is escaped. */
export function drawDot({ nodes, edges }: Picture): string {
  const quote = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  const shape = ({ unit, file, failed }: Node): string => {
    const text = file === '' ? unit : `${unit}\n${file}`;
    const style = file === '' ? ', style=dashed' : failed ? ', color=red' : '';
    return `  ${quote(unit)} [label=${quote(text)}${style}];\n`;
  };
  const arrows = edges.map(
    ({ from, to, keys }) =>
      `  ${quote(from)} -> ${quote(to)} [label=${quote(strongest(keys))}${needs(keys) ? '' : ', style=dotted'}];\n`,
  );
  return `digraph berth {\n  rankdir=LR;\n  node [shape=box];\n${nodes.map(shape).join('')}${arrows.join('')}}\n`;
}

/** `{ nodes: [{ unit, file, failed }], edges: [{ from, to, keys }] }` */
export function drawJson(graph: Picture): string {
  return `${JSON.stringify(graph, undefined, 2)}\n`;
}
