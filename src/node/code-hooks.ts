/**
 * Gives the imports of a file that is loaded again their versions: a hook of Node.js's module loader, which is there from the first time on that there is one
 * to give. It comes before the hooks of TypeScript loaders, and takes what they find.
 *
 * Only who has a version itself (a URL with a fragment) gets its imports in one, and only by relative and `file:` URLs: packages are shared.
 */
import * as loader from 'node:module'

type Resolve = (specifier: string, context: { readonly parentURL?: string }, next: (...given: any[]) => any) => any

interface Hooks {
  /** Node.js 22.15 and later: in this thread */
  registerHooks?(hooks: { readonly resolve: Resolve }): void
}

const versions = new Map<string, string>()
let tell: ((table: ReadonlyMap<string, string>) => void) | null = null

/** From now on these files are imported in these versions. */
export function versionImports(table: ReadonlyMap<string, string>): void {
  for (const [file, version] of table) versions.set(file, version)
  tell ??= hook()
  tell(versions)
}

const isVersioned = (specifier: string, parent: string | undefined): boolean =>
  parent !== undefined && /#\d+(\.\d+)?$/.test(parent) && /^(\.{1,2}\/|\/|file:)/.test(specifier)

function hook(): (table: ReadonlyMap<string, string>) => void {
  const { registerHooks } = loader as Hooks
  if (registerHooks) {
    const resolve: Resolve = (specifier, context, next) => {
      const found = next(specifier, context)
      const version = isVersioned(specifier, context.parentURL) ? versions.get(found.url) : undefined
      return version === undefined ? found : { ...found, url: found.url + version }
    }
    registerHooks({ resolve })
    return () => {}
  }
  const { port1, port2 } = new MessageChannel()
  loader.register(`data:text/javascript,${encodeURIComponent(elsewhere)}`, { data: { port: port2 }, transferList: [port2 as never] })
  return table => port1.postMessage(table)
}

/** The same in the thread that Node.js 20 has for hooks. What was posted before the import is there when it is asked. */
const elsewhere = `
import { receiveMessageOnPort } from 'node:worker_threads'
let port
let versions = new Map()
export function initialize(data) { port = data.port }
const isVersioned = ${String(isVersioned)}
export async function resolve(specifier, context, next) {
  for (let told = receiveMessageOnPort(port); told; told = receiveMessageOnPort(port)) versions = told.message
  const found = await next(specifier, context)
  const version = isVersioned(specifier, context.parentURL) ? versions.get(found.url) : undefined
  return version === undefined ? found : { ...found, url: found.url + version }
}`
