/** Options as they are typed, by their names without dashes. Absent: not said. */
export interface RawOptions {
  readonly terminals?: string;
  readonly rate?: string;
  readonly viewers?: string;
  readonly connections?: string;
  readonly pace?: string;
  readonly echo?: string;
  readonly ssh?: string;
  readonly keys?: string;
  readonly exec?: string;
  readonly sftpUp?: string;
  readonly sftpDown?: string;
  readonly attachChurn?: string;
  readonly detach?: string;
  readonly resize?: string;
  readonly reconnect?: string;
  readonly createChurn?: string;
  readonly duration?: string;
  readonly seed?: string;
  readonly strict?: true;
}

/** What holds when nobody says anything. */
export const DEFAULTS: RawOptions = {
  terminals: '10',
  rate: '10KiB/s',
  viewers: '2',
  ssh: '1',
  keys: '10/s',
  echo: '0',
  duration: '30s',
};

/** A set of options under one name. */
export interface Profile {
  readonly summary: string;
  readonly options: RawOptions;
}

export const PROFILES: Readonly<Record<string, Profile>> = {
  idle: {
    summary: 'many terminals in which nothing happens: what one costs',
    options: { terminals: '500', rate: 'silent', viewers: '1' },
  },
  shared: {
    summary: 'terminals with many viewers, a tenth of whom lose their connection every 3 s',
    options: { terminals: '10', viewers: '20', reconnect: '10%/3s' },
  },
  flood: {
    summary: 'a few terminals print what they can, while others are typed into',
    options: { terminals: '4', rate: 'max', viewers: '2', echo: '20', ssh: '4', exec: '1/s' },
  },
  soak: {
    summary: 'over a thousand terminals, everything coming and going, nothing may get lost',
    options: {
      terminals: '1000@1KiB/s,100@100KiB/s',
      viewers: '1',
      echo: '5',
      ssh: '5',
      exec: '1/s',
      attachChurn: '5/s',
      detach: '5/s',
      resize: '5/s',
      reconnect: '1/10s',
      createChurn: '1/s',
      duration: '10m',
      strict: true,
    },
  },
};
