/** When the PTY waits for viewers: see DESIGN, "Pace". */
export const PACES = ['fastest', 'slowest', 'free'] as const;
export type Pace = (typeof PACES)[number];

/**
 * Whose size the terminal takes when viewers differ: of who asked last; the least rows and columns of
 * all; what it is; of the one viewer that claimed it. New ones go at the end: the wire has positions.
 */
export const SIZE_POLICIES = ['latest', 'smallest', 'fixed', 'mine'] as const;
export type SizePolicy = (typeof SIZE_POLICIES)[number];

/** Changes to a terminal that only a viewer with `type` rights may ask for. Absent: as it is. */
export interface TerminalSettings {
  readonly pace?: Pace | undefined;
  /** `mine`: the viewer that asks for it claims the size. */
  readonly sizePolicy?: SizePolicy | undefined;
}
