/** The longest that poll(2) takes, an int of milliseconds: 24 days. */
const LONGEST = 2147483647;

/** Seconds as the time limit of `host.poll`, in milliseconds; -1, for ever, where they are negative or more than it takes. */
export function patienceOf(seconds: number): number {
  const milliseconds = seconds * 1000;
  return seconds < 0 || milliseconds > LONGEST ? -1 : milliseconds;
}
