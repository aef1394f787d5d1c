import { readFileSync } from 'node:fs';

let known: string | undefined;

/** What the client calls itself: `veneer/VERSION`. */
export function userAgent(): string {
  if (known !== undefined) return known;
  const document: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const version = typeof document === 'object' && document !== null && 'version' in document ? document.version : '0';
  return (known = `veneer/${String(version)}`);
}
