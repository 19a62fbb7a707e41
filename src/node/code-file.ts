/**
 * Files that are imported as code. What is imported by one URL comes from the OS process's cache the second time; a fragment makes it another URL of the
 * same file.
 */
/** The last version of each URL that was imported: the cache of modules is that of the whole OS process. */
const imported = new Map<string, number>()

const version = /#\d+(\.\d+)?$/

/** The URL of a file, without that of a version */
export const fileOf = (url: string): string => url.replace(version, '')

/** `#2`, or `#0.1` of one that was imported anew by another; '' of the first */
export const versionOf = (url: string): string => version.exec(url)?.[0] ?? ''

/** What imports a file anew that has been imported before. */
export function nextOf(url: string): string {
  const count = (imported.get(url) ?? 1) + 1
  imported.set(url, count)
  return `${url}#${count}`
}
