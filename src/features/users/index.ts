/**
 * Users: which users exist, and whether a password is theirs.
 *
 * Owns the seam of user backends (backend.ts, the list in backends/), the one way in which a login and a password are
 * checked above it (authenticate.ts), and the password marks. Names are canonical everywhere: what the backend spells,
 * never what was typed; an answer is always the backend's present one. Does not own hashing (passwords), sessions (told by
 * `onInvalidated`), what a failed attempt costs (throttle).
 */
export type { AttemptLimiter, Authentication } from './authenticate.ts'
export type { Profile, ReloadResult } from './backend.ts'
export { type FileDirectory, readDirectory } from './backends/file/directory.ts'
export { type ImportedUser, planUsers, readUsersFile } from './backends/file/import.ts'
export { usersFileOf } from './backends/file/path.ts'
export type { NewUser } from './changes.ts'
export type { Directory } from './directory.ts'
export type { FoundAccount } from './find-account.ts'
export { hashParameters, passwordConfigIn } from './hashing.ts'
export { parsePassword } from './hashing-check.ts'
export { type Moved, moveUsersBetween } from './move.ts'
export {
  addUser,
  changeUser,
  deleteUser,
  listUsers,
  setPassword,
  showUser,
  type UserRow,
} from './operations.ts'
export {
  isSamePassword,
  openPasswordMarks,
  outdateMarks,
  type PasswordMarks,
} from './password-marks.ts'
export { ADMIN, setAdminPassword } from './reset-admin.ts'
export { createUsers, type Users } from './users.ts'
