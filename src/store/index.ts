/** Stable storage: tables of terms that survive whatever becomes of the program. docs/storage.md */
export { type StoreCode, StoreError } from './errors.js'
export { LmdbStore, openStore, type StoreOptions, type StoreStats } from './lmdb/store.js'
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
