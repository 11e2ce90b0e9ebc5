import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { connectBus } from '../../../src/systemd/bus.ts';
import { readU32 } from '../../../src/systemd/marshal.ts';
import { decode } from '../../../src/systemd/message.ts';
import { answer } from './fake-manager.ts';

/** A bus that answers every call but those that are held, until their answer is asked for. */
function slowBus(path: string, held: readonly string[]): { server: Server; answers: Map<string, () => void> } {
  const answers = new Map<string, () => void>();
  const server = createServer(socket => {
    let data = '';
    let begun = false;
    socket.on('data', part => {
      data += part.toString('latin1');
      if (!begun) {
        if (data.includes('AUTH ')) socket.write('OK 0123456789abcdef0123456789abcdef\r\n');
        begun = data.includes('BEGIN\r\n');
        data = begun ? data.slice(data.indexOf('BEGIN\r\n') + 7) : '';
      }
      while (begun && data.length >= 16) {
        const head = (16 + readU32(data, 12) + 7) & ~7;
        const whole = head + readU32(data, 4);
        if (data.length < whole) return;
        const { member } = decode(data.slice(0, whole), head);
        const serial = readU32(data, 8);
        data = data.slice(whole);
        const reply = member === 'Hello' ? answer(serial, 's', [':1.7']) : answer(serial);
        const send = (): void => void socket.write(Buffer.from(reply, 'latin1'));
        if (held.includes(member)) answers.set(member, send);
        else send();
      }
    });
  });
  server.listen(path);
  return { server, answers };
}

const until = async (done: () => boolean): Promise<void> => {
  while (!done()) await new Promise(resolve => setImmediate(resolve));
};

void test('a person whom polkit asks may take longer than a bus is given to answer', async context => {
  const directory = mkdtempSync(`${tmpdir()}/bus`);
  const { server, answers } = slowBus(`${directory}/bus`, ['StartUnit', 'GetUnit']);
  process.env['DBUS_SYSTEM_BUS_ADDRESS'] = `unix:path=${directory}/bus`;
  context.after(() => {
    delete process.env['DBUS_SYSTEM_BUS_ADDRESS'];
    server.close();
    rmSync(directory, { recursive: true });
  });
  const bus = await connectBus({ kind: 'system' }, true);
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const started = bus.call({ member: 'StartUnit', mayAsk: true });
  const refused = assert.rejects(bus.call({ member: 'GetUnit' }), /did not answer GetUnit within 25 s/);
  await until(() => answers.size === 2);
  context.mock.timers.tick(25_001);
  await refused;
  context.mock.timers.tick(200_000);
  answers.get('StartUnit')?.();
  assert.deepEqual(await started, []);
  bus.close();
});
