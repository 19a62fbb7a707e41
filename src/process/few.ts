/**
 * Records by their keys. One stands alone: a Map of one takes 180 bytes, and most processes that have a link or a monitor have a single one.
 * Two and more are in a Map, which stays one until it is empty.
 */
export type Key = string | number

export interface Keyed<K extends Key = Key> {
  readonly key: K
}

export type Few<T extends Keyed> = T | Map<Key, T> | null

export function find<T extends Keyed>(records: Few<T>, key: Key): T | undefined {
  if (records === null) return undefined
  if (records instanceof Map) return records.get(key)
  return records.key === key ? records : undefined
}

/** They and this one, which takes the place of the one with its key. */
export function including<T extends Keyed>(records: Few<T>, record: T): Few<T> {
  if (records instanceof Map) return records.set(record.key, record)
  if (records === null || records.key === record.key) return record
  return new Map<Key, T>([
    [records.key, records],
    [record.key, record],
  ])
}

/** They without the one with this key. */
export function excluding<T extends Keyed>(records: Few<T>, key: Key): Few<T> {
  if (records instanceof Map) return records.delete(key) && records.size === 0 ? null : records
  return records !== null && records.key === key ? null : records
}

/** All of them, in the order in which they came; each may be taken out meanwhile. */
export function all<T extends Keyed>(records: Few<T>): Iterable<T> {
  if (records instanceof Map) return records.values()
  return records === null ? [] : [records]
}
