// Servers on loopback, one for each directory of certificates that is named; prints `NAME PORT` for each, then `ready`.
//   node servers.mjs DIRECTORY NAME…
// What a name has beside key.pem and cert.pem decides how its server behaves: `behaviour` holds a word of BEHAVIOURS.
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { createServer as plainServer } from 'node:http';

const [directory, ...names] = process.argv.slice(2);

const answer = (request, response) =>
  response.writeHead(200, { 'docker-content-digest': `for ${request.headers.host}` }).end();
const BEHAVIOURS = {
  answers: { answer },
  asks: { answer, options: { requestCert: true, rejectUnauthorized: true } },
  old: { answer, options: { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } },
  closes: { answer: request => request.socket.destroy() },
  endless: {
    answer(request) {
      request.socket.write('HTTP/1.1 200 OK\r\n');
      const line = `x: ${'a'.repeat(1000)}\r\n`;
      const more = () => {
        while (request.socket.write(line));
        request.socket.once('drain', more);
      };
      request.socket.on('error', () => undefined);
      more();
    },
  },
};

const read = (name, file) => readFileSync(`${directory}/${name}/${file}`);
for (const name of names) {
  const behaviour = existsSync(`${directory}/${name}/behaviour`) ? String(read(name, 'behaviour')).trim() : 'answers';
  const { answer: handler, options = {} } = BEHAVIOURS[behaviour];
  const secure = existsSync(`${directory}/${name}/key.pem`);
  const server = secure
    ? createServer(
        {
          key: read(name, 'key.pem'),
          cert: read(name, 'cert.pem'),
          ca: readFileSync(`${directory}/ca.pem`),
          ...options,
        },
        handler,
      )
    : plainServer(handler);
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  console.log(`${name} ${server.address().port}`);
}
console.log('ready');
