/** Checks passwords against bcrypt hashes, which takes long on purpose: it must not keep the rest of the program from working. */
export interface Passwords {
  /**
   * Whether the hash is one of the password. A hash that cannot be read is the hash of none. Never rejects.
   * @param gone - whether nobody waits for the answer any more: the check is then left out, if it has not begun, and the answer is false.
   */
  verify(hash: string, password: string, gone?: () => boolean): Promise<boolean>;
  /** Lets go of what it holds; checks that are not done answer false. */
  close(): void;
}
