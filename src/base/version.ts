/** Set by the build; absent when the sources run as they are. */
declare const BERTH_VERSION: string | undefined;

/** The version of Berth, `MAJOR.MINOR.PATCH`. */
export function version(): string {
  return typeof BERTH_VERSION === 'undefined' ? '0.0.0' : BERTH_VERSION;
}
