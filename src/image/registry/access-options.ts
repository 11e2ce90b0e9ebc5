/** From the command line; `registryOptions` in `options.ts` reads them. */
export interface AccessOptions {
  /** Credentials file (--authfile). */
  readonly authfile?: string;
  /** `USER:PASSWORD` or `USER` (--creds). */
  readonly creds?: string;
  /** Directory of ca.crt, client.cert, client.key (--cert-dir). */
  readonly certDir?: string;
  /** --tls-verify; absent: what registries.conf says. */
  readonly tlsVerify?: boolean;
  /** Tries after the first (default 3), and seconds before the first of them (default 1, doubled each time, with jitter). */
  readonly retry?: number;
  readonly retryDelay?: number;
}
