/** What is wrong with an image, an archive or the store: one line for people, without full stop. */
export class ImageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ImageError';
  }
}
