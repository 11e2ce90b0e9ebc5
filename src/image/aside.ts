/** A layer that a repair has set aside, in a directory of its process in the store's tmp/: this and its digest. No sweep takes it before putBack. */
export const ASIDE = 'broken-';
