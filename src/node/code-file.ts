/**
 * Files that are imported as code. What is imported by one URL comes from the OS process's cache the second time; a fragment makes it another URL of the
 * same file.
 */
import { CodeError } from './code-error.js'
import type { Functions } from './code-version.js'

/** The last version of each URL that was imported: the cache of modules is that of the whole OS process. */
const imported = new Map<string, number>()

const version = /#\d+$/

/** The URL of a file, without that of a version */
export const fileOf = (url: string): string => url.replace(version, '')

/** What imports a file anew that has been imported before. */
export function nextOf(url: string): string {
  const count = (imported.get(url) ?? 1) + 1
  imported.set(url, count)
  return `${url}#${count}`
}

/** @throws CodeError ERR_CODE_MODULE */
export async function importFrom(url: string): Promise<Functions<any>> {
  try {
    return (await import(url)) as Functions<any>
  } catch (cause) {
    throw new CodeError('ERR_CODE_MODULE', `The module at ${url} does not load: ${String(cause)}.`, { cause })
  }
}
