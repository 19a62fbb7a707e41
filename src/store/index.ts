/** Stable storage: tables of terms that survive whatever becomes of the program. docs/storage.md */
export { type Copied, type CopyOptions, copyTables } from './copy.js'
export { type StoreCode, StoreError } from './errors.js'
export { LmdbStore, type StoreOptions, type StoreStats } from './lmdb/store.js'
export { type LmdbOptions, openStore } from './open.js'
export type { Copies, CopyKind, MnesiaTableOptions, TableCopies } from './mnesia/schema.js'
export type { MnesiaClient } from './mnesia/session.js'
export { type MnesiaOptions, MnesiaStore, type MnesiaTable } from './mnesia/store.js'
export type { Verified } from './lmdb/verify.js'
export type {
  Change,
  Index,
  IndexBy,
  Range,
  Reading,
  Row,
  Store,
  SubscribeOptions,
  Table,
  TableOptions,
  Transaction,
  TransactionOptions,
  TransactionTable,
} from './table.js'
