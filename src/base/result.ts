/**
 * The one door to neverthrow. Pure stages return `Result<T, Problem[]>`; code that acts on the
 * system lets `HostError` travel as an exception, because cleanup rests on `finally`, and
 * neverthrow's `safeTry` does not run `finally` when an Err is yielded. `safeTry` is therefore
 * not exported here.
 */
export { err, ok, Result, type Err, type Ok } from 'neverthrow';
