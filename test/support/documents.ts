import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The clone's root: this file is built to dist/test/support. */
export const ROOT = path.resolve(import.meta.dirname, '../../..');

/** A document, with its path from the root. */
export interface Document {
  readonly name: string;
  readonly text: string;
}

/** A fenced block: its info string and its lines. */
export interface Fence {
  readonly info: string;
  readonly body: string;
}

/** All documents: those at the root and everything under docs. */
export function documents(): Document[] {
  const atRoot = readdirSync(ROOT).filter((name) => name.endsWith('.md'));
  const inDocs = readdirSync(path.join(ROOT, 'docs'), { recursive: true })
    .map((name) => path.join('docs', String(name)))
    .filter((name) => name.endsWith('.md'));
  return [...atRoot, ...inDocs].map((name) => ({
    name,
    text: readFileSync(path.join(ROOT, name), 'utf8'),
  }));
}

/** The document of that name. */
export function document(name: string): Document {
  return { name, text: readFileSync(path.join(ROOT, name), 'utf8') };
}

/** The fenced blocks of a document. */
export function fences({ text }: Document): Fence[] {
  return [...text.matchAll(/^```([^\n]*)\n(.*?)^```$/gms)].map(([, info = '', body = '']) => ({
    info: info.trim(),
    body,
  }));
}

/** Code in a document: spans and fenced blocks. */
export function code(document: Document): string[] {
  const withoutFences = document.text.replace(/^```[^\n]*\n.*?^```$/gms, '');
  const spans = [...withoutFences.matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span);
  return [...spans, ...fences(document).map(({ body }) => body)];
}

/** The rows of all tables of a document whose first cell is one code span: that, then the other cells. */
export function codeRows({ text }: Document): string[][] {
  return [...text.matchAll(/^\| `([^`]+)` +\|(.*)\|$/gm)].map(([, name = '', rest = '']) => [
    name,
    ...rest.split(' | ').map((cell) => cell.trim()),
  ]);
}

/** Anchors of the headings, as GitHub makes them. */
export function anchors({ text }: Document): Set<string> {
  const headings = text.replace(/^```[^\n]*\n.*?^```$/gms, '').matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...headings].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}
