import { Failure } from '../run/failure.ts';

/** `ctrl-p,ctrl-q`: letters, and control characters by their letters, as bytes. Empty: no keys detach. */
export function detachKeys(text: string): number[] {
  if (text === '') return [];
  return text.split(',').map(key => {
    const control = /^ctrl-([a-z@[\\\]^_])$/.exec(key)?.[1];
    if (control !== undefined) return control.toUpperCase().charCodeAt(0) & 0x1f;
    if (/^[a-zA-Z]$/.test(key)) return key.charCodeAt(0);
    throw new Failure(
      125,
      `--detach-keys ${text}: ${key} is no key; write letters or ctrl-LETTER, with commas between`,
    );
  });
}

/** Tells when the keys were typed one after the other. */
export class KeyWatch {
  readonly #keys: readonly number[];
  #seen: number[] = [];

  constructor(keys: readonly number[]) {
    this.#keys = keys;
  }

  completes(byte: number): boolean {
    this.#seen = [...this.#seen, byte].slice(-this.#keys.length);
    return this.#keys.length > 0 && this.#keys.every((key, index) => this.#seen[index] === key);
  }
}

/** Keeps back what may become the detach keys: the payload does not get them. */
export class KeyHolder {
  readonly #keys: readonly number[];
  #held = 0;
  complete = false;

  constructor(keys: readonly number[]) {
    this.#keys = keys;
  }

  /** What goes on to the payload. */
  take(bytes: Iterable<number>): number[] {
    const passed: number[] = [];
    for (const byte of bytes) {
      if (this.complete) break;
      if (byte !== this.#keys[this.#held]) {
        passed.push(...this.#keys.slice(0, this.#held));
        this.#held = 0;
      }
      if (byte === this.#keys[this.#held]) this.#held++;
      else passed.push(byte);
      this.complete = this.#keys.length > 0 && this.#held === this.#keys.length;
    }
    return passed;
  }
}
