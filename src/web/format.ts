/** Numbers as people read them. */
export function formatBytes(bytes: number): string {
  if (bytes < 1_024) return `${String(bytes)} bytes`;
  if (bytes < 1_048_576) return `${(bytes / 1_024).toFixed(0)} KiB`;
  return bytes < 1_073_741_824
    ? `${(bytes / 1_048_576).toFixed(1)} MiB`
    : `${(bytes / 1_073_741_824).toFixed(1)} GiB`;
}

export function formatLatency(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${ms.toFixed(0)} ms`;
}

export function formatSize({
  rows,
  cols,
}: {
  readonly rows: number;
  readonly cols: number;
}): string {
  return `${String(cols)}×${String(rows)}`;
}
