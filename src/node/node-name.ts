import { NodeError } from '../term/index.js'

export class NodeNameError extends NodeError {}

export interface NodeName {
  /** `alive@host` */
  readonly full: string
  /** What EPMD registers: the part before the `@` */
  readonly alive: string
  readonly host: string
}

/** Short names have a host without a dot; nodes of the two kinds cannot talk to each other. */
export type NameDomain = 'short' | 'long'

/** A peer's name. @throws NodeNameError NAME_FORMAT, NAME_LENGTH, NAME_CHARACTERS. */
export declare function parseNodeName(text: string): NodeName

export interface OwnNameOptions {
  /** Default: long when the host has a dot or is an address, else short */
  readonly domain?: NameDomain | undefined
}

/** Our own name, and its kind. Without `@host` this host's name is appended, as `erl -sname` and `erl -name` do. @throws NodeNameError, also NAME_NO_DOMAIN. */
export declare function ownNodeName(text: string, options?: OwnNameOptions): Promise<NodeName & { readonly domain: NameDomain }>

/** Can a node of that domain dial `peer`? @throws NodeNameError NAME_SHORT_LONG with a sentence for people. */
export declare function checkDomain(domain: NameDomain, peer: NodeName): void
