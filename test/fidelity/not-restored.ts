/** What a re-attach cannot restore, with the reason. The same list is in docs/adr/0024-what-a-re-attach-restores.md. */
export const NOT_RESTORED: readonly (readonly [what: string, why: string])[] = [
  [
    'more than 100 lines above the screen, beyond what the log keeps',
    'a snapshot must stay small; 100 lines are what a taller screen may show',
  ],
  [
    'a sequence that is still unfinished after 16 KiB',
    'it does not fit the log; its rest is swallowed, and what follows is right',
  ],
  ['joining to a character after 16 KiB of characters that all join', 'the same'],
  ['a title of more than 1,024 characters', 'nobody reads it, and it would be in every checkpoint'],
  [
    'colours, foreign modes, keyboard levels and links by the dozen',
    'bounds: 64 characters a colour, 64 modes, 16 levels, 4,096 links',
  ],
  ['attributes of a screen whose snapshot is larger than 1 MiB', 'a bound (SNAPSHOT_BYTES)'],
  [
    'several changes of size at one offset, for one that was away',
    'it is told the last; no output came between them',
  ],
];
