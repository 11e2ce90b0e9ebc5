/** One header of a tar archive (ustar, POSIX.1-1988); sizes above 8 GB in GNU's binary form. Names: at most 100 bytes. */
export function tarHeader(name: string, size: number, kind: 'file' | 'directory' = 'file'): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0, 100, 'latin1');
  block.write(kind === 'file' ? '0000644' : '0000755', 100, 'latin1');
  block.write('0000000', 108, 'latin1');
  block.write('0000000', 116, 'latin1');
  writeSize(block, size);
  block.write('00000000000', 136, 'latin1');
  block.fill(' ', 148, 156);
  block.write(kind === 'file' ? '0' : '5', 156, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  const sum = block.reduce((all, byte) => all + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** What fills the last block of a member. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

export const TAR_END: Buffer = Buffer.alloc(1024);

const BLOCK = 512;

function writeSize(block: Buffer, size: number): void {
  if (size < 8 ** 11) {
    block.write(size.toString(8).padStart(11, '0'), 124, 'latin1');
    return;
  }
  block[124] = 0x80;
  block.writeBigUInt64BE(BigInt(size), 128);
}
