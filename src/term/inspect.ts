import { inspect, type InspectOptions } from 'node:util'

/** `Tuple [ Atom(ok), 1 ]`: the elements as Node shows them, to the depth that was asked for. */
export function inspectElements(name: string, elements: readonly unknown[], depth: number, options: InspectOptions): string {
  if (depth < 0) return `[${name}]`
  return `${name} ${inspect(elements, { ...options, depth: options.depth === null ? Infinity : depth })}`
}
