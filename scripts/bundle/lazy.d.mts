export function lazily(code: string): string;
