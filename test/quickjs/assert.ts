/** Stands in for `node:assert/strict` under QuickJS: the assertions that the unit tests use. */
type Expected = RegExp | Record<string, unknown> | ((error: unknown) => unknown);

class AssertionError extends Error {}

function assert(value: unknown, message?: string): asserts value {
  if (!value) throw new AssertionError(message ?? `not true: ${show(value)}`);
}

function equal(actual: unknown, expected: unknown, message?: string): void {
  if (!Object.is(actual, expected)) fail(actual, expected, message);
}

function notEqual(actual: unknown, expected: unknown, message?: string): void {
  if (Object.is(actual, expected)) throw new AssertionError(message ?? `both are ${show(actual)}`);
}

function deepEqual(actual: unknown, expected: unknown, message?: string): void {
  if (!same(actual, expected)) fail(actual, expected, message);
}

function notDeepEqual(actual: unknown, expected: unknown, message?: string): void {
  if (same(actual, expected)) throw new AssertionError(message ?? `both are ${show(actual)}`);
}

function match(text: string, pattern: RegExp, message?: string): void {
  assert(pattern.test(text), message ?? `${show(text)} does not match ${String(pattern)}`);
}

function doesNotMatch(text: string, pattern: RegExp, message?: string): void {
  assert(!pattern.test(text), message ?? `${show(text)} matches ${String(pattern)}`);
}

function throws(action: () => unknown, expected?: Expected, message?: string): void {
  try {
    action();
  } catch (error) {
    if (expected !== undefined) checkError(error, expected);
    return;
  }
  throw new AssertionError(message ?? 'nothing was thrown');
}

async function rejects(action: Promise<unknown> | (() => Promise<unknown>), expected?: Expected): Promise<void> {
  try {
    await (typeof action === 'function' ? action() : action);
  } catch (error) {
    if (expected !== undefined) checkError(error, expected);
    return;
  }
  throw new AssertionError('the promise was not rejected');
}

function doesNotThrow(action: () => unknown): void {
  action();
}

export default Object.assign(assert, {
  ok: assert,
  equal,
  strictEqual: equal,
  notEqual,
  notStrictEqual: notEqual,
  deepEqual,
  deepStrictEqual: deepEqual,
  notDeepEqual,
  notDeepStrictEqual: notDeepEqual,
  match,
  doesNotMatch,
  throws,
  rejects,
  doesNotThrow,
  fail: (message?: string): never => {
    throw new AssertionError(message ?? 'failed');
  },
  AssertionError,
});

function checkError(error: unknown, expected: Expected): void {
  if (expected instanceof RegExp) {
    match(String(error), expected);
  } else if (typeof expected === 'function') {
    const isClass = expected === Error || expected.prototype instanceof Error;
    if (isClass ? !(error instanceof expected) : expected(error) !== true) throw error;
  } else {
    for (const [key, value] of Object.entries(expected)) {
      const actual = (error as Record<string, unknown>)[key];
      if (value instanceof RegExp) match(String(actual), value);
      else deepEqual(actual, value, `${key} of the error: got ${show(actual)}, wanted ${show(value)}`);
    }
  }
}

function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (a instanceof Map && b instanceof Map) return sameLists([...a], [...b]);
  if (a instanceof Set && b instanceof Set) return a.size === b.size && [...a].every(item => b.has(item));
  if (a instanceof RegExp && b instanceof RegExp) return String(a) === String(b);
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every(key => Object.hasOwn(b, key) && same(a[key as keyof typeof a], b[key as keyof typeof b]))
  );
}

function sameLists(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, index) => same(item, b[index]));
}

function fail(actual: unknown, expected: unknown, message?: string): never {
  throw new AssertionError(message ?? `got:    ${show(actual)}\nwanted: ${show(expected)}`);
}

function show(value: unknown): string {
  return value instanceof Map || value instanceof Set
    ? show([...value])
    : (JSON.stringify(value, undefined, 1) ?? String(value));
}
