import type { WriteStream } from 'node:tty';

/** Where the demo tells its story: a live screen on a terminal, plain lines elsewhere. */
export interface Screen {
  /** One sentence of the story; stays visible. */
  say(line: string): void;
  /** The picture below the story, replaced each time. */
  show(lines: readonly string[]): void;
  close(): void;
}

export function openScreen(stream: WriteStream): Screen {
  return stream.isTTY ? new LiveScreen(stream) : new PlainScreen(stream);
}

/** Repaints the picture in place under the sentences said so far, without leaving the scrollback. */
class LiveScreen implements Screen {
  readonly #stream: WriteStream;
  #painted = 0;
  #picture: readonly string[] = [];

  constructor(stream: WriteStream) {
    this.#stream = stream;
    stream.write('\x1b[?25l');
  }

  say(line: string): void {
    this.#erase();
    this.#stream.write(`${line}\n`);
    this.#paint();
  }

  show(lines: readonly string[]): void {
    this.#picture = lines;
    this.#erase();
    this.#paint();
  }

  close(): void {
    this.#stream.write('\x1b[?25h');
  }

  #erase(): void {
    if (this.#painted > 0) this.#stream.write(`\x1b[${this.#painted}A\x1b[0J`);
    this.#painted = 0;
  }

  #paint(): void {
    if (this.#picture.length === 0) return;
    this.#stream.write(`\n${this.#picture.join('\n')}\n`);
    this.#painted = this.#picture.length + 1;
  }
}

/** Without a terminal only the sentences are told. */
class PlainScreen implements Screen {
  readonly #stream: NodeJS.WritableStream;
  readonly #began = Date.now();

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
  }

  say(line: string): void {
    const seconds = ((Date.now() - this.#began) / 1000).toFixed(1).padStart(6);
    this.#stream.write(`${seconds}s  ${line}\n`);
  }

  show(): void {}

  close(): void {}
}
