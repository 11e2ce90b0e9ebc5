import { closeSync, fstatSync, readSync } from 'node:fs';
import { ImageError } from '../error.ts';
import type { BlobPlace, Members } from './types.ts';

/**
 * The members of a plain tar file on disk, found by reading the headers alone. Links are looked up among the members, never on
 * the host (T18): older archives name a layer that two images share through one.
 */
export function tarMembers(fd: number, name: string): Members {
  const members = scan(fd, name);
  const find = (member: string): Member => {
    const found = follow(members, member);
    if (found === undefined) throw new ImageError(`${name}: the archive has no ${member}`);
    return found;
  };
  return {
    name,
    kind: 'archive',
    has: member => follow(members, member) !== undefined,
    read: (member, limit) => {
      const { offset, size } = find(member);
      if (size > limit) throw new ImageError(`${name}: ${member} has ${size} bytes, the limit is ${limit}`);
      return readAt(fd, offset, size, name).toString('latin1');
    },
    place: (member): BlobPlace => {
      const { offset, size } = find(member);
      return { fd, offset, length: size };
    },
    close: () => closeSync(fd),
  };
}

interface Member {
  readonly type: string;
  readonly link: string;
  readonly offset: number;
  readonly size: number;
}

const BLOCK = 512;
const MEMBER_LIMIT = 100_000;
const NAME_LIMIT = 1 << 16;

function follow(members: Map<string, Member>, name: string): Member | undefined {
  let at = name;
  for (let hops = 0; hops < 4; hops++) {
    const member = members.get(at);
    if (member === undefined || member.type === '0') return member;
    at = normalize(member.type === '2' ? `${at.slice(0, at.lastIndexOf('/') + 1)}${member.link}` : member.link);
  }
  return undefined;
}

/** Without `.`, and with `..` taken off; what would leave the archive is a name that no member has. */
function normalize(name: string): string {
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return '';
  }
  return parts.join('/');
}

function scan(fd: number, name: string): Map<string, Member> {
  const members = new Map<string, Member>();
  const end = fstatSync(fd).size;
  let described: { name?: string; link?: string; size?: number } = {};
  for (let at = 0, count = 0; at + BLOCK <= end; count++) {
    const header = readAt(fd, at, BLOCK, name);
    if (header.every(byte => byte === 0)) return members;
    checkHeader(header, name);
    if (count > MEMBER_LIMIT) throw new ImageError(`${name}: the archive has more than ${MEMBER_LIMIT} members`);
    const type = String.fromCharCode(header[156] ?? 0).replace('\0', '0');
    const extended = 'xgLK'.includes(type);
    const size = (extended ? undefined : described.size) ?? numberAt(header, 124, 12, name);
    const offset = at + BLOCK;
    if (size > end - offset) throw new ImageError(`${name}: the archive is truncated`);
    at = offset + Math.ceil(size / BLOCK) * BLOCK;
    if (extended) {
      if (size > NAME_LIMIT) throw new ImageError(`${name}: a header of ${size} bytes is too long`);
      if (type !== 'g') described = { ...described, ...describe(type, readAt(fd, offset, size, name)) };
      continue;
    }
    const member = normalize(described.name ?? nameOf(header));
    const link = described.link ?? textAt(header, 157, 100);
    if (!members.has(member) && '012'.includes(type)) members.set(member, { type, link, offset, size });
    described = {};
  }
  if (members.size === 0) throw new ImageError(`${name}: neither a tar archive nor an image directory`);
  return members;
}

function checkHeader(header: Buffer, name: string): void {
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 32 : (header[i] ?? 0);
  if (numberAt(header, 148, 8, name) !== sum)
    throw new ImageError(`${name}: the archive is corrupt, or no tar archive`);
}

function describe(type: string, data: Buffer): { name?: string; link?: string; size?: number } {
  const text = data.toString('latin1');
  if (type === 'L') return { name: text.replace(/\0.*$/s, '') };
  if (type === 'K') return { link: text.replace(/\0.*$/s, '') };
  const found: { name?: string; link?: string; size?: number } = {};
  for (let at = 0; at < text.length;) {
    const length = Number(/^(\d{1,7}) /.exec(text.slice(at, at + 9))?.[1] ?? 0);
    if (length < 5) break;
    const record = text.slice(text.indexOf(' ', at) + 1, at + length - 1);
    const equal = record.indexOf('=');
    const value = record.slice(equal + 1);
    if (record.startsWith('path=')) found.name = value;
    if (record.startsWith('linkpath=')) found.link = value;
    if (record.startsWith('size=') && /^\d{1,15}$/.test(value)) found.size = Number(value);
    at += length;
  }
  return found;
}

function nameOf(header: Buffer): string {
  const prefix = textAt(header, 257, 6) === 'ustar' && header[262] === 0 ? textAt(header, 345, 155) : '';
  return prefix === '' ? textAt(header, 0, 100) : `${prefix}/${textAt(header, 0, 100)}`;
}

function textAt(header: Buffer, start: number, length: number): string {
  return header.toString('latin1', start, start + length).replace(/\0.*$/s, '');
}

function numberAt(header: Buffer, start: number, length: number, name: string): number {
  if (((header[start] ?? 0) & 0x80) !== 0) {
    let number = (header[start] ?? 0) & 0x7f;
    for (let i = 1; i < length; i++) number = number * 256 + (header[start + i] ?? 0);
    if (Number.isSafeInteger(number)) return number;
  } else {
    const digits = textAt(header, start, length).trim();
    if (/^[0-7]*$/.test(digits)) return digits === '' ? 0 : parseInt(digits, 8);
  }
  throw new ImageError(`${name}: the archive is corrupt, or no tar archive: a header has a bad number`);
}

function readAt(fd: number, offset: number, length: number, name: string): Buffer {
  const buffer = Buffer.alloc(length);
  for (let done = 0; done < length;) {
    const got = readSync(fd, buffer, done, length - done, offset + done);
    if (got === 0) throw new ImageError(`${name}: the archive is truncated`);
    done += got;
  }
  return buffer;
}
