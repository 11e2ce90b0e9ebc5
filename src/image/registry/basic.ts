import { encodeBase64 } from '../../base/base64.ts';

/** RFC 7617; user and password are bytes already. */
export function basicHeader(credentials: { readonly user: string; readonly password: string }): string {
  return `Basic ${encodeBase64(`${credentials.user}:${credentials.password}`)}`;
}
