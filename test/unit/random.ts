/** Numbers for property tests: the same ones in every run, so that a failure can be seen again. mulberry32 (public domain). */
export function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return below => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** A text of up to `longest` characters of an alphabet. */
export function randomText(next: (below: number) => number, alphabet: string, longest: number): string {
  let text = '';
  for (let n = next(longest + 1); n > 0; n--) text += alphabet.charAt(next(alphabet.length));
  return text;
}
