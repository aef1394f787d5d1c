// Questions on the terminal itself, whatever standard input and output are.

import { closeSync, openSync, writeSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { hasCode, VeneerError } from '../core/index.js';
import { Secret } from '../registry/access/index.js';
import { interruptible } from './interruption.js';
import { cleanText } from './text.js';
import { TypedLine } from './typed-line.js';

export interface Question {
  readonly text: string;
  /** What is typed is not shown. */
  readonly isHidden: boolean;
}

const TERMINAL = '/dev/tty';

function openTerminal(flags: 'r' | 'w'): number {
  try {
    return openSync(TERMINAL, flags);
  } catch (error) {
    if (!hasCode(error, 'ENXIO') && !hasCode(error, 'ENOENT') && !hasCode(error, 'EACCES')) throw error;
    throw new VeneerError('usage', 'there is no terminal to ask on', {
      hint: 'give --username, and the password on standard input with --password-stdin',
    });
  }
}

/** Whether somebody can be asked. */
export function hasTerminal(): boolean {
  try {
    closeSync(openTerminal('r'));
    return true;
  } catch {
    return false;
  }
}

/** Asks one question after the other; what is typed or pasted ahead answers the next one. */
async function askEach(questions: readonly Question[], input: ReadStream, output: number): Promise<string[]> {
  const answers: string[] = [];
  const show = (bytes: Uint8Array | string): number => writeSync(output, bytes as string);
  const put = (question: Question | undefined): void => {
    if (question !== undefined) show(cleanText(question.text));
  };
  let line = new TypedLine();
  put(questions[0]);
  for await (const chunk of input.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    for (const byte of chunk) {
      const shown = line.type(byte);
      if (shown !== undefined) {
        if (questions[answers.length]?.isHidden === false && shown.length > 0) show(shown);
        continue;
      }
      show('\n');
      answers.push(line.text());
      if (answers.length === questions.length) return answers;
      line = new TypedLine();
      put(questions[answers.length]);
    }
  }
  throw new VeneerError('usage', 'the terminal has gone');
}

/**
 * Asks on the terminal and returns the answers. The terminal is as it was before, whatever happens: ^C and requests to stop throw
 * `Interrupted`. Throws `usage` where there is no terminal.
 */
export async function ask(questions: readonly Question[]): Promise<string[]> {
  const output = openTerminal('w');
  try {
    const input = new ReadStream(openTerminal('r'));
    const restore = (): unknown => (input.destroyed ? undefined : input.setRawMode(false));
    try {
      return await interruptible(async (signal) => {
        const stop = (): void => {
          restore();
          input.destroy(signal.reason as Error);
        };
        signal.addEventListener('abort', stop, { once: true });
        input.setRawMode(true);
        return await askEach(questions, input, output);
      });
    } catch (error) {
      // The question stands there still.
      writeSync(output, '\n');
      throw error;
    } finally {
      restore();
      input.destroy();
    }
  } finally {
    closeSync(output);
  }
}

/** Asks for a password. */
export async function askSecret(question: string): Promise<Secret> {
  const [answer = ''] = await ask([{ text: question, isHidden: true }]);
  return new Secret(answer);
}
