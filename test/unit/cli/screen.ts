// A terminal as far as progress needs one: lines that wrap, carriage return, cursor up, clear to the end.

interface Position {
  row: number;
  column: number;
}

export class Screen {
  readonly isTTY = true;
  columns: number;
  readonly rows: number;
  /** Everything that was written. */
  written = '';
  #cells: string[] = [];
  cursor: Position = { row: 0, column: 0 };

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
  }

  write(text: string): void {
    this.written += text;
    for (const token of text.match(/\x1b\[\d*[A-Z]|[^]/g) ?? []) this.#put(token);
  }

  #put(token: string): void {
    const { cursor } = this;
    const up = /^\x1b\[(\d*)A$/.exec(token)?.[1];
    if (up !== undefined) cursor.row = Math.max(cursor.row - Number(up === '' ? '1' : up), 0);
    else if (token === '\x1b[J') {
      this.#cells.length = Math.min(this.#cells.length, cursor.row + 1);
      this.#cells[cursor.row] = (this.#cells[cursor.row] ?? '').slice(0, cursor.column);
    } else if (token === '\r') cursor.column = 0;
    else if (token === '\n') this.cursor = { row: cursor.row + 1, column: 0 };
    else if (/^[\x20-\x7e]$/.test(token)) {
      if (cursor.column === this.columns) this.cursor = { row: cursor.row + 1, column: 0 };
      const { row, column } = this.cursor;
      const line = (this.#cells[row] ?? '').padEnd(column);
      this.#cells[row] = line.slice(0, column) + token + line.slice(column + 1);
      this.cursor.column += 1;
    } else throw new Error(`the terminal does not know ${JSON.stringify(token)}`);
  }

  /** Another width; lines that were longer continue on rows of their own, as terminals do it. */
  resize(columns: number): void {
    const lines = this.#cells.flatMap((line) => line.match(new RegExp(`.{1,${String(columns)}}`, 'g')) ?? ['']);
    this.cursor.row += lines.length - this.#cells.length;
    this.#cells = lines;
    this.columns = columns;
  }

  /** What is on it, without the empty end. */
  lines(): string[] {
    const text = this.#cells.map((line) => line.trimEnd()).join('\n');
    return text.trimEnd() === '' ? [] : text.trimEnd().split('\n');
  }
}
