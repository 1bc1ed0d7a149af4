/** Postgres refuses to run as root. This finds the way in which a server started by root can run all the same. */
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync } from 'node:fs';

export interface CommandLine {
  readonly command: string;
  readonly args: readonly string[];
}

/** Any user that is not root; it needs no entry in the machine's list of users. */
const UNPRIVILEGED = 65_534;

export interface PostgresAccount {
  /** The command line that runs `program` as this account. */
  wrap(program: string, args: readonly string[]): CommandLine;
  /** Gives a file or an empty directory to the account. */
  own(path: string): void;
}

const worksHere = (command: string, args: readonly string[]) => spawnSync(command, [...args, 'true'], { stdio: 'ignore' }).status === 0;

const sameUser: PostgresAccount = { wrap: (command, args) => ({ command, args }), own: () => undefined };

export function postgresAccount(): PostgresAccount {
  if (process.getuid?.() !== 0) return sameUser;

  // A user namespace in which root has another number: the files stay ours, and no directory on the way must be opened.
  const namespace = ['-U', '--map-user=1000'];
  if (worksHere('unshare', namespace))
    return { wrap: (program, args) => ({ command: 'unshare', args: [...namespace, program, ...args] }), own: () => undefined };

  // Where namespaces are refused: another user, with the one capability that lets it pass through directories of root.
  const user = [`--reuid=${UNPRIVILEGED}`, `--regid=${UNPRIVILEGED}`, '--clear-groups', '--inh-caps=+dac_override', '--ambient-caps=+dac_override'];
  if (worksHere('setpriv', user)) {
    return {
      wrap: (program, args) => ({ command: 'setpriv', args: [...user, program, ...args] }),
      own: (path) => {
        chmodSync(path, 0o700);
        chownSync(path, UNPRIVILEGED, UNPRIVILEGED);
      },
    };
  }
  throw new Error(
    'Postgres refuses to run as root, and neither "unshare" nor "setpriv" works here. Run Airlock as another user, or set DATABASE_URL.',
  );
}
