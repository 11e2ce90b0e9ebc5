// A token service in front of a registry: it gives out tokens that Debian's docker-registry believes.
// registry-front.mjs PORT CERT KEY USER PASSWORD LOG; https://distribution.github.io/distribution/spec/auth/jwt/
import { createPrivateKey, sign, X509Certificate } from 'node:crypto';
import { appendFileSync, readFileSync } from 'node:fs';
import { createServer } from 'node:https';

const [port, certFile, keyFile, user, password, log] = process.argv.slice(2);
const cert = readFileSync(certFile);
const key = readFileSync(keyFile);
const part = value => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

function token(subject, scopes) {
  const now = Math.floor(Date.now() / 1000);
  const access = scopes.map(scope => {
    const [type, ...rest] = scope.split(':');
    return { type, name: rest.slice(0, -1).join(':'), actions: rest.at(-1).split(',') };
  });
  const head = { typ: 'JWT', alg: 'ES256', x5c: [new X509Certificate(cert).raw.toString('base64')] };
  const claims = {
    iss: 'front',
    sub: subject,
    aud: 'registry',
    exp: now + 300,
    nbf: now - 60,
    iat: now,
    jti: String(Math.random()),
    access,
  };
  const text = `${part(head)}.${part(claims)}`;
  const signature = sign('sha256', Buffer.from(text), { key: createPrivateKey(key), dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}

const server = createServer({ cert, key }, (request, response) => {
  const url = new URL(request.url, 'https://front');
  appendFileSync(log, `${url.pathname}?${url.searchParams.getAll('scope').join(' ')}\n`);
  const wanted = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  if (request.headers.authorization !== wanted) {
    response.writeHead(401).end('{"errors":[{"code":"UNAUTHORIZED"}]}');
    return;
  }
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ token: token(user, url.searchParams.getAll('scope')), expires_in: 300 }));
});
server.listen(Number(port), '127.0.0.1', () => console.log('ready'));
