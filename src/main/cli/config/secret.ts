import { inspect } from 'node:util';

/**
 * A credential on its way from where it was read to where it is sent. Prints as `[secret]` however it
 * is logged, formatted or serialised, so that it can only leave through `reveal`.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The credential itself. For the one place that sends or stores it. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}
