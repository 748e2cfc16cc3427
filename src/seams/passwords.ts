/** Checks passwords against bcrypt hashes, which takes long on purpose: it must not keep the rest of the program from working. */
export interface Passwords {
  /** Whether the hash is one of the password. A hash that cannot be read is the hash of none. Never rejects. */
  verify(hash: string, password: string): Promise<boolean>;
  /** Lets go of what it holds; checks that are not done answer false. */
  close(): void;
}
