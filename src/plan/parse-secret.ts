import { bad, type Draft } from './draft.ts';
import { cleanPath, cut, isName, readId, readOctal } from './parse-values.ts';

/** `--secret NAME[,type=mount|env][,target=TARGET][,uid=N][,gid=N][,mode=MODE]` (podman-run(1)). */
export function parseSecret(draft: Draft, value: string): void {
  const [name = '', ...fields] = value.split(',');
  if (!isName(name)) return bad(draft, 'secret', value, 'the name of a secret is missing', 'write NAME[,target=...]');
  const parts: Record<string, string> = {};
  for (const field of fields) {
    const [key, text] = cut(field, '=');
    if (text === undefined || !KEYS.includes(key)) {
      return bad(
        draft,
        'secret',
        value,
        `${field === '' ? 'an empty field' : field} is not understood`,
        `use ${KEYS.join(', ')}`,
      );
    }
    parts[key] = text;
  }
  const { type = 'mount', target = name } = parts;
  const uid = readId(parts['uid'] ?? '0');
  const gid = readId(parts['gid'] ?? '0');
  const mode = readOctal(parts['mode'] ?? '0444', 0o7777);
  if (uid === undefined) return bad(draft, 'secret', value, `uid=${parts['uid'] ?? ''} is no user id`);
  if (gid === undefined) return bad(draft, 'secret', value, `gid=${parts['gid'] ?? ''} is no group id`);
  if (mode === undefined) return bad(draft, 'secret', value, `mode=${parts['mode'] ?? ''} is no octal mode`);
  if (type === 'env') return addVariable(draft, value, name, target, parts);
  if (type !== 'mount') return bad(draft, 'secret', value, `there is no type ${type}`, 'use mount or env');
  const path = cleanPath(target.startsWith('/') ? target : `/run/secrets/${target}`);
  if (path === undefined || target === '') return bad(draft, 'secret', value, 'the target is not a path');
  if (draft.request.secrets.some(other => other.type === 'mount' && other.target === path)) {
    return bad(draft, 'secret', value, `another secret is already mounted on ${path}`);
  }
  draft.request.secrets.push({ name, type: 'mount', target: path, uid, gid, mode });
}

const KEYS = ['type', 'target', 'uid', 'gid', 'mode'];

function addVariable(draft: Draft, value: string, name: string, target: string, parts: Record<string, string>): void {
  const odd = ['uid', 'gid', 'mode'].find(key => parts[key] !== undefined);
  if (odd !== undefined) return bad(draft, 'secret', value, `${odd}= has no meaning for a variable`);
  if (target === '' || target.includes('='))
    return bad(draft, 'secret', value, 'the target is not the name of a variable');
  draft.request.secrets.push({ name, type: 'env', target, uid: 0, gid: 0, mode: 0 });
}
