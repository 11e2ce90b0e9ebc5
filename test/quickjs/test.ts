/** Stands in for `node:test` when unit tests of hot code run under QuickJS: names, functions, TAP on standard output. */
type Body = (context: Context) => void | Promise<void>;
interface Context {
  readonly name: string;
  test(name: string, ...rest: readonly unknown[]): Promise<void>;
  after(undo: () => void): void;
  diagnostic(text: string): void;
}
interface Case {
  readonly name: string;
  readonly body: Body;
}

declare const print: (text: string) => void;

const cases: Case[] = [];
let prefix = '';
let failures = 0;

/** `test(name, [options], body)`. Runs after the file has been read, in order. */
export function test(name: string, ...rest: readonly unknown[]): void {
  cases.push({ name: prefix + name, body: rest.at(-1) as Body });
  if (cases.length === 1) void Promise.resolve().then(runAll);
}
export const it = test;
export default test;

export function describe(name: string, ...rest: readonly unknown[]): void {
  const outer = prefix;
  prefix += `${name}: `;
  (rest.at(-1) as () => void)();
  prefix = outer;
}
export const suite = describe;

async function runAll(): Promise<void> {
  for (const item of cases) await runCase(item);
  print(`1..${cases.length}`);
  if (failures > 0) print(`# ${failures} failed`);
}

async function runCase({ name, body }: Case): Promise<boolean> {
  const undo: (() => void)[] = [];
  let why: string | undefined;
  const context: Context = {
    name,
    async test(inner, ...rest) {
      if (!(await runCase({ name: `${name}: ${inner}`, body: rest.at(-1) as Body }))) why = `${inner} failed`;
    },
    after: action => void undo.push(action),
    diagnostic: text => print(`# ${text}`),
  };
  try {
    await body(context);
  } catch (error) {
    why = error instanceof Error ? `${error.message}\n${error.stack ?? ''}` : String(error);
  }
  for (const action of undo.reverse()) action();
  const top = cases.some(item => item.name === name);
  if (why !== undefined && top) failures++;
  if (top || why !== undefined) print(`${why === undefined ? 'ok' : 'not ok'} - ${name}`);
  if (why !== undefined) print(why.replace(/^/gm, '# '));
  return why === undefined;
}
